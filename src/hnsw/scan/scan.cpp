// See scan.h.

#include "hnsw/scan/scan.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hnsw/gather/gather.h"
#include "hnsw/opclass.h"
#include "hnsw/options.h"
#include "hnsw/scan/plan_hooks.h"
#include "hnsw/scan/search.h"
#include "pg/compat.h"
#include "pg/row_visibility.h"

namespace vext::hnsw {

namespace {

// A row that was returned.
struct ReturnedRow {
    Tid tid;
    double bound;  // of a strictly ordered scan
};

// On a standby: rows that were returned, of which nobody told whether they are dead.
struct Unjudged {
    explicit Unjudged(const core::Arena& memory) : arena(memory), rows(arena) {}
    Unjudged(const Unjudged&) = delete;

    core::Arena arena;
    core::Array<ReturnedRow> rows;
    double last_bound = -std::numeric_limits<double>::infinity();  // of those that were seen
};

// What a scan keeps; lives in the scan's memory context, reset at every rescan.
struct ScanState {
    MemoryContext context;
    Index index;
    Search* search;                // null until the first row is asked for
    pg::TableBounds table_bounds;  // kept for the next search of the scan
    bool has_table_bounds;
    FoundNode node;
    std::size_t n_returned;  // of the node's rows
    Unjudged* unjudged;      // null on a primary
    double last_bound;       // of a strictly ordered scan
    bool is_exact;           // the order is
    bool is_strict;          // what comes too late for the order is left out
    bool returns_bounds;     // and has the executor reckon and order
};

ScanState&
state_of(IndexScanDesc scan) {
    return *static_cast<ScanState*>(scan->opaque);
}

// The executor of a standby does not say which rows were dead to all, since nobody may mark them
// there, and none of them tells before the server has written the state of its transaction. Where
// such rows may have used up what a scan may visit, they are looked at once more: a row that the
// scan's snapshot does not see counts for nothing, not even for the order.
bool
judge_rows(IndexScanDesc scan) {
    ScanState& state = state_of(scan);
    if (state.unjudged == nullptr || state.unjudged->rows.is_empty())
        return false;
    Unjudged& unjudged = *state.unjudged;
    bool has_unseen = false;
    pg::RowVisibility visibility(scan->heapRelation, scan->xs_snapshot);
    for (const ReturnedRow& row : unjudged.rows.span()) {
        CHECK_FOR_INTERRUPTS();
        if (visibility.has(to_item_pointer(row.tid))) {
            unjudged.last_bound = std::max(unjudged.last_bound, row.bound);
        } else {
            state.search->note_dead_row();
            has_unseen = true;
        }
    }
    visibility.close();
    unjudged.rows.clear();
    if (has_unseen)
        state.last_bound = unjudged.last_bound;
    return has_unseen;
}

SearchOptions
search_options(IndexScanDesc scan) {
    ScanState& state = state_of(scan);
    SearchOptions options = {};
    options.table = scan->heapRelation;
    if (state.unjudged != nullptr) {
        options.judge_rows = [](void* judge) {
            (void)judge_rows(static_cast<IndexScanDesc>(judge));
        };
        options.judge = scan;
    }
    options.touches_rows = setting_glance_reads;
    options.table_bounds = &state.table_bounds;
    options.ef = static_cast<std::size_t>(effective_ef_search(state.index.relation));
    options.goes_on = effective_iterative_scan(state.index.relation) != kIterativeOff;
    options.is_strict = options.goes_on && state.is_strict;
    options.max_visited = max_scan_tuples(state.index.relation, state.index.meta.n_slots);
    options.max_bytes = static_cast<std::size_t>(work_mem * 1024.0 * setting_scan_mem_multiplier);
    options.by_lower_bound = state.returns_bounds;
    options.refines_all = state.is_exact;
    return options;
}

// Whether rows must be put in exact order by the executor: asked for, or the codec's 8 bits alone
// would not order them well enough. By L1 and Hamming exact codes give the operator's distances, by
// L2 squares that are in the order of its roots, without their rounding; by other metrics the last
// bits may differ.
bool
needs_recheck(const Index& index, bool is_exact) {
    const core::Metric metric = index.meta.metric;
    if (core::is_exact(index.meta.codec))
        return is_exact && metric != core::Metric::kL1 && metric != core::Metric::kL2 &&
               metric != core::Metric::kHamming;
    return is_exact || index.geometry.cold_bytes == 0;
}

void
search_for(const ScanKeyData& key, ScanState& state) {
    if ((key.sk_flags & SK_ISNULL) != 0)
        return state.search->start(nullptr);
    const IndexedValue vector(state.index.relation, key.sk_argument);
    check_query_dims(state.index.relation, state.index.meta.n_dims(), vector.n_dims());
    state.search->start(vector.numbers().data());
}

void
start_search(IndexScanDesc scan, ScanState& state) {
    if (scan->numberOfOrderBys == 0)
        elog(ERROR, "cannot scan hnsw index without order");
    if (!IsMVCCSnapshot(scan->xs_snapshot))
        elog(ERROR, "non-MVCC snapshots are not supported with hnsw");
    if (scan->numberOfOrderBys > 1)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot scan hnsw index \"%s\" in order of more than one distance",
                       RelationGetRelationName(scan->indexRelation)));
    pg::count_index_scan(scan);
    const bool must_be_sorted = !may_bend_order(scan->orderByData[0]);
    const IterativeScan iterative = effective_iterative_scan(scan->indexRelation);
    state.is_strict =
        iterative == kIterativeStrict || (iterative != kIterativeOff && must_be_sorted);
    // A search of lists would have measured every distance.
    state.is_exact = setting_exact_order || state.is_strict || must_be_sorted ||
                     is_of_lists(scan->indexRelation);
    pg::in_context(state.context, [&] {
        state.index = open_index(scan->indexRelation);
        state.index.snapshot_at_risk = pg::snapshot_at_risk(scan->xs_snapshot);
        state.returns_bounds = needs_recheck(state.index, state.is_exact);
        if (!state.has_table_bounds)
            state.table_bounds = pg::TableBounds(scan->heapRelation);
        state.has_table_bounds = true;
        core::Arena arena = pg::context_arena(state.context);
        state.unjudged = scan->xactStartedInRecovery ? arena.make<Unjudged>(arena) : nullptr;
        state.search = arena.make<Search>(state.index, search_options(scan));
        search_for(scan->orderByData[0], state);
        if (state.search->is_unordered())
            state.returns_bounds = false;
    });
}

// A lower bound in the operator's units, rounded so that it stays one.
double
operator_bound(core::Metric metric, float bound) {
    const double distance = core::to_operator_distance(metric, bound);
    return std::nextafter(distance, -std::numeric_limits<double>::infinity());
}

// Moves to the next node whose rows may be returned.
bool
next_node(ScanState& state) {
    while (pg::in_context(state.context, [&] { return state.search->next(state.node); })) {
        state.n_returned = 0;
        if (!state.is_strict || state.search->is_unordered())
            return true;
        // What a resumed search finds nearer than a row already returned comes too late.
        const double bound = state.node.lower_bound;
        if (bound >= state.last_bound) {
            state.last_bound = bound;
            return true;
        }
    }
    return false;
}

// Whether there is a row that was not returned yet.
bool
has_next_row(IndexScanDesc scan, ScanState& state) {
    while (state.n_returned >= state.search->tids().size())
        if (!next_node(state) && !(state.search->is_cut_short() && judge_rows(scan)))
            return false;
    return true;
}

}  // namespace

IndexScanDesc
begin_scan(Relation index, int n_keys, int n_order_bys) {
    flush_gathered(index);
    IndexScanDesc scan = RelationGetIndexScan(index, n_keys, n_order_bys);
    auto* state = static_cast<ScanState*>(palloc0(sizeof(ScanState)));
    state->context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw scan", ALLOCSET_DEFAULT_SIZES);
    scan->opaque = state;
    if (n_order_bys > 0) {
        scan->xs_orderbyvals = static_cast<Datum*>(palloc0(sizeof(Datum) * n_order_bys));
        scan->xs_orderbynulls = static_cast<bool*>(palloc0(sizeof(bool) * n_order_bys));
    }
    return scan;
}

void
rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey order_bys, int n_order_bys) {
    flush_gathered(scan->indexRelation);
    ScanState& state = state_of(scan);
    MemoryContextReset(state.context);
    state.search = nullptr;
    state.unjudged = nullptr;
    state.node = {};
    state.n_returned = 0;
    state.last_bound = -std::numeric_limits<double>::infinity();
    if (keys != nullptr && scan->numberOfKeys > 0)
        std::memcpy(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
    if (order_bys != nullptr && scan->numberOfOrderBys > 0)
        std::memcpy(scan->orderByData, order_bys, scan->numberOfOrderBys * sizeof(ScanKeyData));
}

bool
get_next_row(IndexScanDesc scan, ScanDirection direction) {
    Assert(ScanDirectionIsForward(direction));
    ScanState& state = state_of(scan);
    if (state.search == nullptr)
        start_search(scan, state);
    else if (scan->kill_prior_tuple)
        state.search->note_dead_row();
    if (!has_next_row(scan, state)) {
        if (state.search->is_cut_short() && state.index.hints != nullptr)
            ++state.index.hints->n_cut_short;
        return false;
    }
    const Tid tid = state.search->tids()[state.n_returned++];
    if (state.unjudged != nullptr)
        state.unjudged->rows.push_back({tid, state.node.lower_bound});
    scan->xs_heaptid = to_item_pointer(tid);
    scan->xs_recheck = false;
    scan->xs_recheckorderby = state.returns_bounds;
    if (state.returns_bounds)
        scan->xs_orderbyvals[0] =
            Float8GetDatum(operator_bound(state.index.meta.metric, state.node.lower_bound));
    return true;
}

void
end_scan(IndexScanDesc scan) {
    MemoryContextDelete(state_of(scan).context);
}

}  // namespace vext::hnsw
