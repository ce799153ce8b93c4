// All commands. A new one is a file commands/<name>.cpp with a function declared here, and a line
// in registry.cpp; what it does lies in a folder of its own.

#pragma once

#include <vector>

#include "options/option.h"

namespace vext::client {

Command make_load_command();
Command make_build_index_command();
Command make_upsert_command();
Command make_query_command();
Command make_convert_command();
Command make_info_command();
Command make_check_command();
Command make_tune_command();
Command make_watch_command();
Command make_completion_command();
Command make_man_command();

/// In the order of the help.
std::vector<Command> all_commands();

}  // namespace vext::client
