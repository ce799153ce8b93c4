// `completion` and `man`: what the option table says, for shells and man.

#include <fmt/format.h>

#include <memory>

#include "commands/registry.h"
#include "error.h"
#include "options/manual.h"
#include "streams.h"

namespace vext::client {

Command
make_completion_command() {
    auto shell = std::make_shared<std::string>();
    Command command;
    command.name = "completion";
    command.summary = "Print the completion script of a shell";
    command.description = "The script goes where the shell looks for completions.";
    command.options.push_back({"SHELL",
                               "SHELL",
                               "The shell",
                               shell.get(),
                               {"bash", "zsh", "fish"},
                               INT64_MIN,
                               INT64_MAX,
                               true});
    command.examples.push_back({"source <(vector-bulk completion bash)", "Complete in this shell"});
    command.run = [shell] {
        print("{}", completion_script(all_commands(), *shell));
        return static_cast<int>(ExitCode::kDone);
    };
    return command;
}

Command
make_man_command() {
    Command command;
    command.name = "man";
    command.summary = "Print the manual page";
    command.description = "The page is in the form that man reads.";
    command.examples.push_back({"vector-bulk man | man -l -", "Read the manual"});
    command.run = [] {
        print("{}", manual_page(all_commands()));
        return static_cast<int>(ExitCode::kDone);
    };
    return command;
}

}  // namespace vext::client
