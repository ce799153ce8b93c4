#include "commands/registry.h"
#include "error.h"

namespace vext::client {

Command
make_query_command() {
    Command command;
    command.name = "query";
    command.summary = "Not written yet";
    command.run = []() -> int { throw UsageError("not written yet"); };
    return command;
}

}  // namespace vext::client
