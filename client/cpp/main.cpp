// vector-bulk: parses the command line, runs the command, and turns what went wrong into a message
// and an exit code.

#include <fmt/format.h>

#include <exception>

#include "commands/registry.h"
#include "error.h"
#include "options/parse.h"
#include "server/interrupt.h"
#include "streams.h"

namespace vext::client {

namespace {

void
tell(const std::string& message, const std::string& hint) {
    say("{}: {}\n", kProgram, message);
    if (!hint.empty())
        say("HINT: {}\n", hint);
}

/// The exit code; what was printed has arrived.
int
run(const Command& command) {
    const int status = command.run();
    try {
        flush_output();
    } catch (const Error& error) {
        if (!command.prints_afterwards)
            throw;
        tell(error.what(), error.hint());
    }
    return status;
}

}  // namespace

}  // namespace vext::client

int
main(int argc, char** argv) {
    using namespace vext::client;
    hold_standard_streams();
    try {
        const std::vector<Command> commands = all_commands();
        const Parsed parsed = parse_command_line(commands, argc, argv);
        if (parsed.command == nullptr)
            return parsed.exit_code;
        watch_for_interrupts();
        return run(*parsed.command);
    } catch (const ServerError& error) {
        tell(fmt::format("{} (SQLSTATE {})", error.what(), error.sqlstate()), error.hint());
        return static_cast<int>(error.exit_code());
    } catch (const Error& error) {
        tell(error.what(), error.hint());
        return static_cast<int>(error.exit_code());
    } catch (const std::bad_alloc&) {
        tell("out of memory", "");
        return static_cast<int>(ExitCode::kStopped);
    } catch (const std::exception& error) {
        tell(fmt::format("internal error: {}", error.what()), "");
        return static_cast<int>(ExitCode::kStopped);
    }
}
