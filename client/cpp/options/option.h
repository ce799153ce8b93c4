// The option table: every command with its options, in data. Parsing, --help, the manual page and
// shell completion are all made from it (options/parse.h, manual.h, completion.h).

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vext::client {

/// Where a value goes. A bool is a flag; a vector takes the option any number of times.
using OptionTarget = std::variant<bool*, std::string*, std::vector<std::string>*, std::int64_t*,
                                  std::optional<std::int64_t>*, double*, std::optional<double>*>;

/// What a value is, for completion.
enum class ValueKind : std::uint8_t { kNone, kFile, kChoice, kOther };

struct Option {
    /// As CLI11 takes them: "-i,--input"; with a name without dashes, "-i,--input,INPUT", the value
    /// can also stand alone.
    std::string names;
    std::string value;  ///< how help calls the value: "FILE", "N"; empty for a flag
    std::string help;   ///< one sentence without a full stop, the default in brackets
    OptionTarget target;
    std::vector<std::string> choices = {};  ///< the only values allowed, when there are any
    std::int64_t least = INT64_MIN;         ///< for numbers
    std::int64_t most = INT64_MAX;
    bool is_required = false;

    ValueKind kind() const;
    /// The names with dashes, short first: {"-i", "--input"}.
    std::vector<std::string> flags() const;
    /// The name without dashes, or empty.
    std::string positional() const;
};

struct Example {
    std::string command;
    std::string meaning;
};

struct Command {
    std::string name;
    std::string summary;      ///< one line, for the list of commands
    std::string description;  ///< paragraphs, for --help and the manual
    std::vector<Option> options;
    std::vector<Example> examples;
    /// Returns the exit code, or throws an Error.
    std::function<int()> run;
    /// What it prints tells of work that is done and stays, whether it can be printed or not.
    bool prints_afterwards = false;
};

}  // namespace vext::client
