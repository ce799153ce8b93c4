// Tables for a terminal or a file of text.

#pragma once

#include <string>
#include <vector>

#include "report/page.h"

namespace vext::report {

/// A line of heads, then the rows; numbers stand to the right, a chosen row is marked with '*'.
std::string to_text(const Table& table);

/// Names and values in two columns.
std::string to_text(const std::vector<Fact>& facts);

/// Columns of text that a terminal needs for it.
std::size_t display_width(const std::string& text);

}  // namespace vext::report
