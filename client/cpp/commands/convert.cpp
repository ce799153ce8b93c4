#include "commands/registry.h"
#include "error.h"

namespace vext::client {

Command
make_convert_command() {
    Command command;
    command.name = "convert";
    command.summary = "Not written yet";
    command.run = []() -> int { throw UsageError("not written yet"); };
    return command;
}

}  // namespace vext::client
