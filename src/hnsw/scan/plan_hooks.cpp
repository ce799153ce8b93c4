// See plan_hooks.h and ../README.md, "Plans".
//
// An index scan of the executor hands its ScanKeys to rescan(), flags included, of which the upper
// half belongs to the access method. So what the walk over a plan finds out about a scan is written
// there, and lives and ends with the plan's state. A scan that no walk has seen is exact.

#include "hnsw/scan/plan_hooks.h"

#include "hnsw/scan/cost.h"
#include "hnsw/scan/scan.h"
#include "pg/plan_tree.h"

namespace vext::hnsw {

namespace {

// Flags of a ScanKey: nodes above the scan that take its order as it is, and nodes that count on
// it. A part of a plan that is read from two places can have both.
constexpr int kOrderIsShown = 1 << 16;
constexpr int kOrderIsCountedOn = 1 << 17;

constinit set_rel_pathlist_hook_type next_set_rel_pathlist = nullptr;
constinit ExecutorStart_hook_type next_executor_start = nullptr;

bool
is_unusable(const Path* path) {
    if (!IsA(path, IndexPath))
        return false;
    const auto* index_path = reinterpret_cast<const IndexPath*>(path);
    return is_hnsw_index(index_path->indexinfo) && !is_usable(index_path);
}

void
set_rel_pathlist(PlannerInfo* root, RelOptInfo* rel, ::Index number, RangeTblEntry* entry) {
    ListCell* cell = nullptr;
    foreach (cell, rel->pathlist)
        if (is_unusable(static_cast<const Path*>(lfirst(cell))))
            rel->pathlist = foreach_delete_current(rel->pathlist, cell);
    if (next_set_rel_pathlist != nullptr)
        next_set_rel_pathlist(root, rel, number, entry);
}

// What a node makes of the order of the rows it gets.
enum class Order {
    kPassed,     // what is above it may count on it
    kLost,       // it sorts, or gives rows in another order
    kCountedOn,  // it takes equal rows to be neighbours, or stops at a larger one
};

// Of nodes that are not known, none is taken to be harmless.
Order
order_in(PlanState* node) {
    const Plan* plan = node->plan;
    switch (nodeTag(plan)) {
        case T_Result:
        case T_ProjectSet:
        case T_Append:
        case T_MergeAppend:
        case T_NestLoop:
        case T_Material:
        case T_Memoize:
        case T_Gather:
        case T_GatherMerge:
        case T_LockRows:
        case T_SubqueryScan:
            return Order::kPassed;
        case T_Limit:
            return reinterpret_cast<const Limit*>(plan)->limitOption == LIMIT_OPTION_WITH_TIES
                       ? Order::kCountedOn
                       : Order::kPassed;
        case T_Agg:
            switch (reinterpret_cast<const Agg*>(plan)->aggstrategy) {
                case AGG_HASHED:
                    return Order::kLost;
                case AGG_PLAIN:
                    return pg::has_presorted_aggregate(reinterpret_cast<const AggState*>(node))
                               ? Order::kCountedOn
                               : Order::kLost;
                default:
                    return Order::kCountedOn;
            }
        case T_WindowAgg: {
            const auto* window = reinterpret_cast<const WindowAgg*>(plan);
            return window->partNumCols + window->ordNumCols > 0 ? Order::kCountedOn
                                                                : Order::kPassed;
        }
        case T_SetOp:
            return reinterpret_cast<const SetOp*>(plan)->strategy == SETOP_HASHED
                       ? Order::kLost
                       : Order::kCountedOn;
        case T_Sort:
        case T_Hash:
        case T_HashJoin:
        case T_ModifyTable:
        case T_RecursiveUnion:
            return Order::kLost;
        default:
            return Order::kCountedOn;
    }
}

void
mark_scan(IndexScanState* scan, bool is_counted_on) {
    if (scan->iss_NumOrderByKeys > 0 &&
        scan->iss_RelationDesc->rd_indam->amgettuple == get_next_row)
        scan->iss_OrderByKeys[0].sk_flags |= is_counted_on ? kOrderIsCountedOn : kOrderIsShown;
}

// One plan with its subplans. A common table expression is a subplan that several scans may read,
// and passes its order to each: those whose order somebody counts on are walked a second time.
class PlanWalk {
   public:
    explicit PlanWalk(const EState* state) : state_(state) {}

    void
    run(PlanState* root) {
        // What is above a parallel worker's part of the plan is not known there.
        visit(root, IsParallelWorker());
        ListCell* cell = nullptr;
        foreach (cell, state_->es_subplanstates)
            visit(static_cast<PlanState*>(lfirst(cell)), false);
        int next = -1;
        while ((next = bms_next_member(waiting_, -1)) >= 0) {
            waiting_ = bms_del_member(waiting_, next);
            done_ = bms_add_member(done_, next);
            visit(static_cast<PlanState*>(list_nth(state_->es_subplanstates, next - 1)), true);
        }
        bms_free(waiting_);
        bms_free(done_);
    }

   private:
    // Whether somebody above counts on the order of the node's rows.
    void
    visit(PlanState* node, bool is_counted_on) {
        if (node == nullptr)
            return;
        check_stack_depth();
        switch (nodeTag(node)) {
            case T_IndexScanState:
                return mark_scan(reinterpret_cast<IndexScanState*>(node), is_counted_on);
            case T_CteScanState:
                return visit_common(reinterpret_cast<const CteScan*>(node->plan), is_counted_on);
            default:
                break;
        }
        const Order order = order_in(node);
        const bool is_below =
            order == Order::kCountedOn || (order == Order::kPassed && is_counted_on);
        visit(outerPlanState(node), is_below);
        visit(innerPlanState(node), is_below && nodeTag(node) != T_NestLoopState);
        pg::for_each_member(node, [&](PlanState* member) { visit(member, is_below); });
    }

    void
    visit_common(const CteScan* scan, bool is_counted_on) {
        if (is_counted_on && !bms_is_member(scan->ctePlanId, done_))
            waiting_ = bms_add_member(waiting_, scan->ctePlanId);
    }

    const EState* state_;
    Bitmapset* waiting_ = nullptr;  // by number of the subplan, from 1
    Bitmapset* done_ = nullptr;
};

static_assert(std::is_trivially_destructible_v<PlanWalk>);

void
start_executor(QueryDesc* query, int flags) {
    if (next_executor_start != nullptr)
        next_executor_start(query, flags);
    else
        standard_ExecutorStart(query, flags);
    PlanWalk(query->estate).run(query->planstate);
}

}  // namespace

void
install_plan_hooks() {
    next_set_rel_pathlist = set_rel_pathlist_hook;
    set_rel_pathlist_hook = set_rel_pathlist;
    next_executor_start = ExecutorStart_hook;
    ExecutorStart_hook = start_executor;
}

bool
may_bend_order(const ScanKeyData& order_by) {
    return (order_by.sk_flags & (kOrderIsShown | kOrderIsCountedOn)) == kOrderIsShown;
}

}  // namespace vext::hnsw
