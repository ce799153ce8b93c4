// The manual page and shell completion, made from the option table.

#pragma once

#include <string>
#include <vector>

#include "options/option.h"

namespace vext::client {

/// In the man macros of roff.
std::string manual_page(const std::vector<Command>& commands);

/// `shell` is bash, zsh or fish.
std::string completion_script(const std::vector<Command>& commands, const std::string& shell);

}  // namespace vext::client
