// What is wrong with the text of a vector, for whoever sent it.

#pragma once

#include <string_view>

#include "core/text/vector_text.h"
#include "pg/compat.h"

namespace vext::types {

/// Reports the error that parse_vector found in `text`, softly where `context` asks for it; shows
/// at most 200 bytes of it. `type` is the name of the type.
void report_text_error(const core::ParsedVector& parsed, const char* type, std::string_view text,
                       Node* context);

}  // namespace vext::types
