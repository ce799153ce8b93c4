#include "commands/registry.h"

namespace vext::client {

std::vector<Command>
all_commands() {
    return {
        make_load_command(),       make_build_index_command(), make_upsert_command(),
        make_query_command(),      make_info_command(),        make_check_command(),
        make_tune_command(),       make_watch_command(),       make_convert_command(),
        make_completion_command(), make_man_command(),
    };
}

}  // namespace vext::client
