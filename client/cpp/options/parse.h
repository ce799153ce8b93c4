// From a command line to a command whose options are filled in.

#pragma once

#include <string>
#include <vector>

#include "options/option.h"

namespace vext::client {

struct Parsed {
    const Command* command;  ///< null: nothing is left to do, end with exit_code
    int exit_code;
};

/// Writes help and version to standard output, errors of usage to standard error.
Parsed parse_command_line(const std::vector<Command>& commands, int argc, char** argv);

inline constexpr const char* kProgram = "vector-bulk";
inline constexpr const char* kVersion = VEXT_VERSION;

}  // namespace vext::client
