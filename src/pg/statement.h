// Running SQL statements, and where a transaction stands.

#pragma once

#include "pg/server.h"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
}

namespace vext::pg {

/// Adds a line to the context of every error raised while `body` runs; `describe` calls errcontext.
template <typename Describe, typename Body>
void
with_error_context(Describe& describe, const Body& body) {
    ErrorContextCallback callback;
    callback.previous = error_context_stack;
    callback.callback = [](void* argument) { (*static_cast<Describe*>(argument))(); };
    callback.arg = &describe;
    error_context_stack = &callback;
    body();
    error_context_stack = callback.previous;
}

/// Runs `body` with a setting that any user may change; an error takes it back as well.
template <typename Body>
void
with_setting(const char* name, const char* value, const Body& body) {
    const int level = NewGUCNestLevel();
    (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                            false);
    body();
    AtEOXact_GUC(true, level);
}

/// Whether code of a function or of a block, rather than a client, runs the statement in which this
/// is asked: such code, and SPI under it, adds lines to the context of errors.
inline bool
is_called_by_code() {
    const char* context = GetErrorContextStack();
    return context != nullptr && *context != '\0';
}

/// Whether the running statement is part of a transaction that goes on after it.
inline bool
is_in_transaction_block() {
    return IsTransactionBlock() || IsSubTransaction();
}

}  // namespace vext::pg
