// What every maker of a vector must check, and the errors of values that fail. `type` is the name
// of the SQL type, which most texts have.
//
// Functions with a `context` report softly where the server can (see VEXT_ERRSAVE) and then return;
// without one they raise.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "pg/compat.h"
#include "types/vector.h"

namespace vext::types {

/// Raises unless `n_dims` is in 1..kMaxDims.
void check_dims(std::size_t n_dims, const char* type);

/// Raises unless all `values` are finite.
template <typename Number>
void check_finite(std::span<const Number> values);

[[noreturn]] void raise_out_of_range(const char* type, float value);

/// The number as the type keeps it. Raises where it is finite and what it is rounded to is not.
template <typename Number>
Number
to_number(float value) {
    const Number number = core::round_to<Number>(value);
    if constexpr (!std::is_same_v<Number, float>)
        if (core::is_infinite(number) && core::is_finite(value)) [[unlikely]]
            raise_out_of_range(kTypeName<Number>, value);
    return number;
}

/// Whether `n_dims` is what the type modifier asks for (-1: anything); reports it if not.
bool check_expected_dims(std::int32_t expected, std::size_t n_dims, Node* context = nullptr);

/// Raises unless both operands have as many dimensions.
[[noreturn]] void raise_different_dims(const char* type, std::size_t a, std::size_t b);

template <typename Number>
void
check_same_dims(std::span<const Number> a, std::span<const Number> b) {
    if (a.size() != b.size()) [[unlikely]]
        raise_different_dims(kTypeName<Number>, a.size(), b.size());
}

void report_no_dimensions(const char* type, Node* context = nullptr, const char* hint = nullptr);
void report_too_many_dimensions(const char* type, Node* context = nullptr,
                                const char* hint = nullptr);
void report_nan(const char* type, Node* context = nullptr);
void report_infinite(const char* type, Node* context = nullptr);

/// Of messages in binary form.
[[noreturn]] void raise_too_short();
[[noreturn]] void raise_left_over();
[[noreturn]] void raise_unused_not_zero(std::int32_t unused);

[[noreturn]] void raise_overflow();
[[noreturn]] void raise_underflow();

}  // namespace vext::types
