// What every maker of a vector must check, and the errors of values that fail.
//
// Functions with a `context` report softly where the server can (see VEXT_ERRSAVE) and then return;
// without one they raise.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pg/compat.h"

namespace vext::types {

/// Raises unless `n_dims` is in 1..kMaxDims.
void check_dims(std::size_t n_dims);

/// Raises unless all `values` are finite.
void check_finite(std::span<const float> values);

/// Whether `n_dims` is what the type modifier asks for (-1: anything); reports it if not.
bool check_expected_dims(std::int32_t expected, std::size_t n_dims, Node* context = nullptr);

/// Raises unless both operands have as many dimensions.
[[noreturn]] void raise_different_dims(std::size_t a, std::size_t b);

inline void
check_same_dims(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) [[unlikely]]
        raise_different_dims(a.size(), b.size());
}

void report_no_dimensions(Node* context = nullptr);
void report_too_many_dimensions(Node* context = nullptr, const char* hint = nullptr);
void report_nan(Node* context = nullptr);
void report_infinite(Node* context = nullptr);

[[noreturn]] void raise_overflow();
[[noreturn]] void raise_underflow();

}  // namespace vext::types
