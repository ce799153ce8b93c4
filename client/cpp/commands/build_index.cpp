#include "commands/registry.h"
#include "error.h"

namespace vext::client {

Command
make_build_index_command() {
    Command command;
    command.name = "build-index";
    command.summary = "Not written yet";
    command.run = []() -> int { throw UsageError("not written yet"); };
    return command;
}

}  // namespace vext::client
