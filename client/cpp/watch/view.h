// Running operations as lines: for a terminal of a width, for a log, for a program. Pure.

#pragma once

#include <string>
#include <vector>

#include "watch/operation.h"

namespace vext::client {

/// Two lines: what runs, and a bar with rate and time left. `n_columns` at least 40.
std::vector<std::string> terminal_lines(const Operation& operation, int n_columns);

/// "1234 CREATE INDEX on items: linking, 12,345 of 60,000 rows (20.5 %), 4,321 rows/s, 11 s left"
std::string plain_line(const Operation& operation);

std::string json_line(const Operation& operation);

}  // namespace vext::client
