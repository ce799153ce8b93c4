// The errors that several functions of sparse vectors share; the texts are those clients know.

#pragma once

#include <cstddef>
#include <cstdint>

#include "core/sparse.h"
#include "pg/compat.h"

namespace vext::types {

/// Reports what is wrong with a sparse vector: softly where the server can and `context` is given
/// (see VEXT_ERRSAVE), raising otherwise. Requires: an error that concerns neither the syntax of a
/// text nor the frame of a message.
void report_sparse(core::SparseError error, Node* context = nullptr, const char* hint = nullptr);

/// Raises unless both operands have as many dimensions.
[[noreturn]] void raise_different_sparse_dims(std::int32_t a, std::int32_t b);

}  // namespace vext::types
