// The kernels of each kind of numbers, by one name.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/distance/dispatch.h"
#include "types/vector.h"

namespace vext::types {

/// The table of kernels in use: those of both kinds have the same names.
template <typename Number>
inline const auto&
sums() {
    if constexpr (std::is_same_v<Number, Half>)
        return core::half_kernels();
    else
        return core::kernels();
}

/// Numbers as the kernels take them.
inline const float*
bits(std::span<const float> values) {
    return values.data();
}

inline const std::uint16_t*
bits(std::span<const Half> values) {
    return &values.data()->bits;
}

inline void
widen(std::span<const float> values, float* out) {
    std::copy(values.begin(), values.end(), out);
}

inline void
widen(std::span<const Half> values, float* out) {
    core::half_kernels().widen(bits(values), values.size(), out);
}

/// Summed in float64.
template <typename Number>
double
squared_norm(std::span<const Number> values) {
    return sums<Number>().squared_norm(bits(values), values.size());
}

}  // namespace vext::types
