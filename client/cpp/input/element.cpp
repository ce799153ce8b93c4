#include "input/element.h"

#include <bit>
#include <cstring>

namespace vext::client {

namespace {

static_assert(std::endian::native == std::endian::little);

}  // namespace

float
half_to_float(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1f;
    const std::uint32_t mantissa = half & 0x3ff;
    if (exponent == 0x1f)
        return std::bit_cast<float>(sign | 0x7f800000 | (mantissa << 13));
    if (exponent != 0)
        return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
    // Subnormal: the mantissa counts units of 2^-24.
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

std::uint16_t
float_to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
    const std::uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return static_cast<std::uint16_t>(sign | 0x7e00);
    if (magnitude >= 0x477ff000)  // 65520 and more round to infinity
        return static_cast<std::uint16_t>(sign | 0x7c00);
    if (magnitude < 0x38800000) {
        // Adding 0.5 moves the units of 2^-24 to the lowest bits, rounded to even by the addition.
        const float moved = std::bit_cast<float>(magnitude) + 0.5F;
        return static_cast<std::uint16_t>(sign |
                                          (std::bit_cast<std::uint32_t>(moved) - 0x3f000000));
    }
    const std::uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
    return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

void
read_elements(Element element, std::span<const std::uint8_t> bytes, std::span<float> out) {
    switch (element) {
        case Element::kF32:
            std::memcpy(out.data(), bytes.data(), bytes.size());
            return;
        case Element::kF16:
            for (std::size_t i = 0; i < out.size(); ++i)
                out[i] = half_to_float(
                    static_cast<std::uint16_t>(bytes[2 * i] | (bytes[2 * i + 1] << 8)));
            return;
        case Element::kU8:
            for (std::size_t i = 0; i < out.size(); ++i)
                out[i] = bytes[i];
            return;
        case Element::kI32:
            for (std::size_t i = 0; i < out.size(); ++i) {
                std::int32_t number = 0;
                std::memcpy(&number, bytes.data() + 4 * i, sizeof number);
                out[i] = static_cast<float>(number);
            }
            return;
    }
}

}  // namespace vext::client
