// The ways to show progress; see progress.h.

#pragma once

#include <memory>

#include "progress/progress.h"

namespace vext::client {

std::unique_ptr<ProgressRenderer> make_renderer(ProgressKind kind);

/// The bar's line for a terminal of so many columns, without control characters.
std::string bar_line(const ProgressState& state, int n_columns);
/// One JSON object without a newline.
std::string json_line(const ProgressState& state, bool is_end);

}  // namespace vext::client
