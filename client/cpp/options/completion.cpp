#include <fmt/format.h>
#include <fmt/ranges.h>

#include "error.h"
#include "options/manual.h"
#include "options/parse.h"

namespace vext::client {

namespace {

/// In single quotes of a shell.
std::string
quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string
names_of(const std::vector<Command>& commands) {
    std::string names;
    for (const Command& command : commands)
        names += (names.empty() ? "" : " ") + command.name;
    return names;
}

std::string
bash_script(const std::vector<Command>& commands) {
    std::string flags_cases;
    std::string value_cases;
    for (const Command& command : commands) {
        std::string flags = "--help";
        for (const Option& option : command.options) {
            const std::vector<std::string> names = option.flags();
            for (const std::string& flag : names)
                flags += " " + flag;
            if (names.empty() || option.kind() == ValueKind::kNone)
                continue;
            std::string pattern;
            for (const std::string& flag : names)
                pattern += fmt::format("{}{}:{}", pattern.empty() ? "" : "|", command.name, flag);
            std::string reply = ":";  // any value: nothing to offer
            if (option.kind() == ValueKind::kChoice)
                reply = fmt::format("COMPREPLY=($(compgen -W {} -- \"$word\"))",
                                    quoted(fmt::format("{}", fmt::join(option.choices, " "))));
            else if (option.kind() == ValueKind::kFile)
                reply = "COMPREPLY=($(compgen -f -- \"$word\"))";
            value_cases += fmt::format("        {}) {}; return ;;\n", pattern, reply);
        }
        flags_cases += fmt::format("        {}) flags={} ;;\n", command.name, quoted(flags));
    }
    return fmt::format(
        R"(# bash completion for vector-bulk; written by `vector-bulk completion bash`
_vector_bulk() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
    local flags=
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W '{} --help --version' -- "$word"))
        return
    fi
    case $command:$before in
{}    esac
    case $command in
{}    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}}
complete -o filenames -F _vector_bulk vector-bulk
)",
        names_of(commands), value_cases, flags_cases);
}

/// Brackets and colons part the fields of an option's description.
std::string
zsh_text(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\')
            out += '\\';
        out += c;
    }
    return out;
}

std::string
zsh_script(const std::vector<Command>& commands) {
    std::string names;
    std::string cases;
    for (const Command& command : commands) {
        names +=
            fmt::format("        {}\n", quoted(zsh_text(command.name) + ":" + command.summary));
        cases += fmt::format("        {})\n            _arguments \\\n", command.name);
        for (const Option& option : command.options) {
            std::string action;
            if (option.kind() == ValueKind::kChoice)
                action = fmt::format(":{}:({})", option.value, fmt::join(option.choices, " "));
            else if (option.kind() == ValueKind::kFile)
                action = fmt::format(":{}:_files", option.value);
            else if (option.kind() == ValueKind::kOther)
                action = fmt::format(":{}:", option.value);
            for (const std::string& flag : option.flags())
                cases += fmt::format(
                    "                {} \\\n",
                    quoted(fmt::format("*{}[{}]{}", flag, zsh_text(option.help), action)));
        }
        cases += "                '*:file:_files'\n            ;;\n";
    }
    return fmt::format(R"(#compdef vector-bulk
# zsh completion for vector-bulk; written by `vector-bulk completion zsh`
_vector_bulk() {{
    local -a commands=(
{}    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{}    esac
}}
_vector_bulk "$@"
)",
                       names, cases);
}

std::string
fish_script(const std::vector<Command>& commands) {
    std::string text =
        "# fish completion for vector-bulk; written by `vector-bulk completion fish`\n";
    for (const Command& command : commands)
        text += fmt::format("complete -c vector-bulk -n __fish_use_subcommand -f -a {} -d {}\n",
                            command.name, quoted(command.summary));
    for (const Command& command : commands) {
        for (const Option& option : command.options) {
            const std::vector<std::string> flags = option.flags();
            if (flags.empty())
                continue;
            std::string line = fmt::format(
                "complete -c vector-bulk -n '__fish_seen_subcommand_from {}'", command.name);
            for (const std::string& flag : flags)
                line += flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
            if (option.kind() == ValueKind::kChoice)
                line += fmt::format(" -x -a {}",
                                    quoted(fmt::format("{}", fmt::join(option.choices, " "))));
            else if (option.kind() == ValueKind::kFile)
                line += " -r";
            else if (option.kind() == ValueKind::kOther)
                line += " -x";
            text += fmt::format("{} -d {}\n", line, quoted(option.help));
        }
    }
    return text;
}

}  // namespace

std::string
completion_script(const std::vector<Command>& commands, const std::string& shell) {
    if (shell == "bash")
        return bash_script(commands);
    if (shell == "zsh")
        return zsh_script(commands);
    if (shell == "fish")
        return fish_script(commands);
    throw UsageError(fmt::format("no completion for the shell \"{}\"", shell));
}

}  // namespace vext::client
