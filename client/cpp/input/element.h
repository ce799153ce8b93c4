// The numbers that files of vectors are made of, and their reading as float32.

#pragma once

#include <cstdint>
#include <span>

namespace vext::client {

enum class Element : std::uint8_t { kF32, kF16, kU8, kI32 };

constexpr std::size_t
size_of(Element element) {
    switch (element) {
        case Element::kF32:
        case Element::kI32:
            return 4;
        case Element::kF16:
            return 2;
        case Element::kU8:
            break;
    }
    return 1;
}

/// Little-endian elements to numbers. Requires: bytes.size() == out.size() * size_of(element).
void read_elements(Element element, std::span<const std::uint8_t> bytes, std::span<float> out);

/// Of an IEEE 754 half; infinity and NaN stay what they are.
float half_to_float(std::uint16_t half);
/// Rounded to even; beyond the range it is infinity.
std::uint16_t float_to_half(float value);

}  // namespace vext::client
