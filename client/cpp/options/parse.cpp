#include "options/parse.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "error.h"
#include "streams.h"

namespace vext::client {

namespace {

/// Numbers are read by ourselves: CLI11 takes "12x" and octal numbers.
std::int64_t
read_integer(const std::string& text, const Option& option) {
    std::size_t end = 0;
    std::int64_t number = 0;
    try {
        number = std::stoll(text, &end, 10);
    } catch (const std::exception&) {
        end = 0;
    }
    if (end == 0 || end != text.size())
        throw CLI::ValidationError(option.flags().back(),
                                   fmt::format("expected a whole number, not \"{}\"", text));
    if (number < option.least || number > option.most)
        throw CLI::ValidationError(
            option.flags().back(),
            option.most == INT64_MAX
                ? fmt::format("expected at least {}, not {}", option.least, number)
                : fmt::format("expected {} to {}, not {}", option.least, option.most, number));
    return number;
}

double
read_number(const std::string& text, const Option& option) {
    std::size_t end = 0;
    double number = 0;
    try {
        number = std::stod(text, &end);
    } catch (const std::exception&) {
        end = 0;
    }
    if (end == 0 || end != text.size())
        throw CLI::ValidationError(option.flags().back(),
                                   fmt::format("expected a number, not \"{}\"", text));
    return number;
}

struct AddOption {
    CLI::App& app;
    const Option& option;

    CLI::Option*
    operator()(bool* target) const {
        return app.add_flag(option.names, *target, option.help);
    }
    CLI::Option*
    operator()(std::string* target) const {
        return app.add_option(option.names, *target, option.help);
    }
    CLI::Option*
    operator()(std::vector<std::string>* target) const {
        return app.add_option(option.names, *target, option.help)
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    CLI::Option*
    operator()(std::int64_t* target) const {
        return app.add_option_function<std::string>(
            option.names,
            [target, this_option = &option](const std::string& text) {
                *target = read_integer(text, *this_option);
            },
            option.help);
    }
    CLI::Option*
    operator()(std::optional<std::int64_t>* target) const {
        return app.add_option_function<std::string>(
            option.names,
            [target, this_option = &option](const std::string& text) {
                *target = read_integer(text, *this_option);
            },
            option.help);
    }
    CLI::Option*
    operator()(double* target) const {
        return app.add_option_function<std::string>(
            option.names,
            [target, this_option = &option](const std::string& text) {
                *target = read_number(text, *this_option);
            },
            option.help);
    }
    CLI::Option*
    operator()(std::optional<double>* target) const {
        return app.add_option_function<std::string>(
            option.names,
            [target, this_option = &option](const std::string& text) {
                *target = read_number(text, *this_option);
            },
            option.help);
    }
};

void
add_option(CLI::App& app, const Option& option) {
    CLI::Option* added = std::visit(AddOption{app, option}, option.target);
    if (!option.value.empty())
        added->type_name(option.choices.empty()
                             ? option.value
                             : fmt::format("{}", fmt::join(option.choices, "|")));
    if (!option.choices.empty()) {
        const std::vector<std::string> choices = option.choices;
        added->check([choices](const std::string& value) -> std::string {
            for (const std::string& choice : choices)
                if (choice == value)
                    return {};
            return fmt::format("expected one of {}, not \"{}\"", fmt::join(choices, ", "), value);
        });
    }
    if (!option.positional().empty() &&
        std::holds_alternative<std::vector<std::string>*>(option.target))
        added->expected(-1);
    if (option.is_required)
        added->required();
}

std::string
footer_of(const Command& command) {
    std::string text = command.description + "\n";
    if (!command.examples.empty())
        text += "\nExamples:\n";
    for (const Example& example : command.examples)
        text += fmt::format("  {}\n      {}\n", example.command, example.meaning);
    return text;
}

}  // namespace

Parsed
parse_command_line(const std::vector<Command>& commands, int argc, char** argv) {
    CLI::App app("Loads vectors into PostgreSQL, indexes, searches and converts them.", kProgram);
    app.require_subcommand(1);
    app.set_version_flag("-V,--version", fmt::format("{} {}", kProgram, kVersion));
    app.footer("Every command tells its options with --help; vector-bulk man prints the manual.");
    std::vector<std::pair<CLI::App*, const Command*>> added;
    for (const Command& command : commands) {
        CLI::App* subcommand = app.add_subcommand(command.name, command.summary);
        subcommand->footer(footer_of(command));
        for (const Option& option : command.options)
            add_option(*subcommand, option);
        added.emplace_back(subcommand, &command);
    }
    for (auto& [subcommand, command] : added)
        subcommand->get_formatter()->column_width(34);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // Help and version are exceptions with the code 0.
        if (error.get_exit_code() == 0)
            return {nullptr, app.exit(error)};
        std::string name = kProgram;
        for (auto& [subcommand, command] : added)
            if (subcommand->parsed())
                name += " " + command->name;
        const bool is_unknown = name == kProgram && argc > 1 && argv[1][0] != '-';
        say("{}: {}\nHINT: {} --help tells the {}\n", kProgram,
            is_unknown ? fmt::format("there is no command \"{}\"", argv[1]) : error.what(), name,
            is_unknown ? "commands" : "options");
        return {nullptr, static_cast<int>(ExitCode::kUsage)};
    }
    for (auto& [subcommand, command] : added)
        if (subcommand->parsed())
            return {command, 0};
    return {nullptr, static_cast<int>(ExitCode::kUsage)};
}

}  // namespace vext::client
