// See flush_points.h. Each costs a comparison where nothing was gathered.

#include "hnsw/gather/flush_points.h"

#include "hnsw/gather/gather.h"
#include "pg/transaction.h"

namespace vext::hnsw {

namespace {

constinit ExecutorStart_hook_type next_executor_start = nullptr;
constinit ProcessUtility_hook_type next_process_utility = nullptr;

// Workers have no rows of ours, but would scan the index for the query.
void
start_executor(QueryDesc* query, int flags) {
    if (has_gathered() && query->plannedstmt->parallelModeNeeded)
        flush_all_gathered();
    if (next_executor_start != nullptr)
        next_executor_start(query, flags);
    else
        standard_ExecutorStart(query, flags);
}

// Whether the command cannot meet gathered rows: it writes rows like COPY, runs other statements,
// each of which is looked at itself, or touches no table. Of those about transactions, an error in
// one that ends the transaction would leave the client in it: the flush comes with the end itself.
bool
may_leave_gathered(const Node* command) {
    switch (nodeTag(command)) {
        case T_CopyStmt:
        case T_ExecuteStmt:
        case T_DoStmt:
        case T_CallStmt:
        case T_ExplainStmt:
        case T_DeclareCursorStmt:
        case T_FetchStmt:
        case T_ClosePortalStmt:
        case T_PrepareStmt:
        case T_DeallocateStmt:
        case T_VariableSetStmt:
        case T_VariableShowStmt:
        case T_TransactionStmt:
            return true;
        default:
            return false;
    }
}

void
process_utility(PlannedStmt* statement, const char* query, bool is_read_only,
                ProcessUtilityContext context, ParamListInfo parameters,
                QueryEnvironment* environment, DestReceiver* receiver,
                QueryCompletion* completion) {
    const bool may_leave = may_leave_gathered(statement->utilityStmt);
    if (has_gathered() && !may_leave)
        flush_all_gathered();
    if (next_process_utility != nullptr)
        next_process_utility(statement, query, is_read_only, context, parameters, environment,
                             receiver, completion);
    else
        standard_ProcessUtility(statement, query, is_read_only, context, parameters, environment,
                                receiver, completion);
    // Event triggers may have written rows. No queue outlives a command that can move its file.
    if (has_gathered() && !may_leave)
        flush_all_gathered();
}

void
handle_transaction(XactEvent event, void*) {
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
        case XACT_EVENT_PARALLEL_PRE_COMMIT:
        case XACT_EVENT_PRE_PREPARE:
            if (has_gathered())
                pg::within_statement_timeout(flush_all_gathered);
            close_gathering();
            break;
        case XACT_EVENT_COMMIT:
        case XACT_EVENT_PARALLEL_COMMIT:
        case XACT_EVENT_PREPARE:
            Assert(!has_gathered());
            forget_gathered();
            break;
        case XACT_EVENT_ABORT:
        case XACT_EVENT_PARALLEL_ABORT:
            forget_gathered();
            break;
    }
}

void
handle_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
    if (!has_gathered())
        return;
    if (event == SUBXACT_EVENT_COMMIT_SUB)
        hand_gathered_up(pg::nest_level());
    else if (event == SUBXACT_EVENT_ABORT_SUB)
        drop_gathered_of(pg::nest_level());
}

}  // namespace

void
install_flush_points() {
    next_executor_start = ExecutorStart_hook;
    ExecutorStart_hook = start_executor;
    next_process_utility = ProcessUtility_hook;
    ProcessUtility_hook = process_utility;
    RegisterXactCallback(handle_transaction, nullptr);
    RegisterSubXactCallback(handle_subtransaction, nullptr);
}

}  // namespace vext::hnsw
