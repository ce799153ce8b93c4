// What other sessions see of a command that runs long: the counts that the server keeps for each
// backend. Loads are shown as COPY, in the parameters that COPY leaves alone.

#pragma once

#include "pg/server.h"

extern "C" {
#include "access/xlog.h"
#include "commands/progress.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"
}

namespace vext::pg {

/// The parameters of loads; 10 to 12 are those of the phases of a batch.
enum class LoadParameter : int {
    kWaiting = 13,  ///< rows that wait to come into an index
    kKind = 14,
    kTaken = 15,  ///< rows of an upsert that were taken
    kTotal = 16,
};

enum class LoadKind : int { kCopy, kUpsert, kCommit };

inline bool
is_shown_as(ProgressCommandType command) {
    return MyBEEntry != nullptr && MyBEEntry->st_progress_command == command;
}

/// A value as shown, by its place; 0 where nothing is.
inline int64
shown_value(int parameter) {
    return MyBEEntry == nullptr ? 0 : MyBEEntry->st_progress_param[parameter];
}

inline void
show(LoadParameter parameter, int64 value) {
    pgstat_progress_update_param(static_cast<int>(parameter), value);
}

/// Where the WAL record that this backend wrote last begins.
inline XLogRecPtr
last_record_written() {
    return ProcLastRecPtr;
}

/// Shows a load into a table, unless another command is shown, which a second one would hide.
/// Returns whether it does.
inline bool
show_load(Oid table, LoadKind kind) {
    if (!is_shown_as(PROGRESS_COMMAND_INVALID))
        return false;
    pgstat_progress_start_command(PROGRESS_COMMAND_COPY, table);
    show(LoadParameter::kKind, static_cast<int64>(kind));
    return true;
}

inline void
hide_load() {
    pgstat_progress_end_command();
}

}  // namespace vext::pg
