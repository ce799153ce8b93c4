// Running what belongs to a table, as the expression of an index does, with the rights of its
// owner.

#pragma once

#include "pg/compat.h"
#include "pg/server.h"

extern "C" {
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/rel.h"
}

namespace vext::pg {

/// Calls `work()` as the owner of the table, who meanwhile can change nothing of the session. An
/// error on the way gives the caller's rights back with the end of its transaction.
template <typename Work>
void
as_owner(Relation table, Work&& work) {
    Oid user = InvalidOid;
    int context = 0;
    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(table->rd_rel->relowner, context | SECURITY_RESTRICTED_OPERATION);
    const int settings = NewGUCNestLevel();
    restrict_search_path();
    work();
    AtEOXact_GUC(false, settings);
    SetUserIdAndSecContext(user, context);
}

}  // namespace vext::pg
