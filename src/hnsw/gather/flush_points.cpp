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

// An error in a command that ends the transaction would leave the client in it: the flush comes
// with the end itself, where there is one.
bool
ends_or_rolls_back(const TransactionStmt* statement) {
    switch (statement->kind) {
        case TRANS_STMT_COMMIT:
        case TRANS_STMT_PREPARE:
        case TRANS_STMT_ROLLBACK:
        case TRANS_STMT_ROLLBACK_TO:
        case TRANS_STMT_ROLLBACK_PREPARED:
            return true;
        default:
            return false;
    }
}

// Whether the command can meet gathered rows: it writes rows like COPY, runs other statements, each
// of which is looked at itself, or touches no table.
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
            return true;
        case T_TransactionStmt:
            return ends_or_rolls_back(reinterpret_cast<const TransactionStmt*>(command));
        default:
            return false;
    }
}

void
process_utility(PlannedStmt* statement, const char* query, bool is_read_only,
                ProcessUtilityContext context, ParamListInfo parameters,
                QueryEnvironment* environment, DestReceiver* receiver,
                QueryCompletion* completion) {
    if (has_gathered() && !may_leave_gathered(statement->utilityStmt))
        flush_all_gathered();
    if (next_process_utility != nullptr)
        next_process_utility(statement, query, is_read_only, context, parameters, environment,
                             receiver, completion);
    else
        standard_ProcessUtility(statement, query, is_read_only, context, parameters, environment,
                                receiver, completion);
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
    if (event == SUBXACT_EVENT_START_SUB && has_gathered())
        flush_all_gathered();
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
