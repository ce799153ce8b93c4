// Levels of the scalar codecs: how they are chosen and laid out.
//
// With step s, coordinate i of x gets the level z = floor(x[i] / s) + 2^b / 2, clipped to b bits;
// it stands for s u with u = z - (2^b - 1) / 2. 8 bits take a byte a dimension; 4 bits are laid out
// as dot_code4 wants them: byte j has dimension j in its low and j + n / 2 in its high half.

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace vext::core {

/// Padded dimensions are a multiple of it: inner loops of this fixed length become vector code.
inline constexpr std::size_t kLanes = 16;

template <int kBits>
inline constexpr float kHalf = 0.5f * ((1 << kBits) - 1);

template <int kBits>
inline int
level_of(float x, float inverse_step) {
    constexpr float kMax = (1 << kBits) - 1;
    float level = x * inverse_step + (kHalf<kBits> + 0.5f);
    level = level > 0 ? level : 0;
    level = level < kMax ? level : kMax;
    return static_cast<int>(level);
}

/// Calls visit(i, level) for every dimension.
template <int kBits, typename Visit>
inline void
for_each_level(const std::uint8_t* code, std::size_t n, Visit visit) {
    if constexpr (kBits == 8) {
        for (std::size_t i = 0; i < n; i++)
            visit(i, static_cast<int>(code[i]));
    } else {
        for (std::size_t j = 0; j < n / 2; j++) {
            visit(j, code[j] & 15);
            visit(j + n / 2, code[j] >> 4);
        }
    }
}

template <int kBits>
inline void
write_levels(const float* x, float inverse_step, std::size_t n, std::uint8_t* code) {
    if constexpr (kBits == 8) {
        for (std::size_t i = 0; i < n; i++)
            code[i] = static_cast<std::uint8_t>(level_of<8>(x[i], inverse_step));
    } else {
        for (std::size_t j = 0; j < n / 2; j++) {
            const int low = level_of<4>(x[j], inverse_step);
            const int high = level_of<4>(x[j + n / 2], inverse_step);
            code[j] = static_cast<std::uint8_t>(low | high << 4);
        }
    }
}

inline float
max_magnitude(const float* x, std::size_t n) {
    float lanes[kLanes] = {};
    for (std::size_t i = 0; i < n; i += kLanes)
        for (std::size_t k = 0; k < kLanes; k++) {
            const float magnitude = std::fabs(x[i + k]);
            lanes[k] = magnitude > lanes[k] ? magnitude : lanes[k];
        }
    float max = 0;
    for (float lane : lanes)
        max = lane > max ? lane : max;
    return max;
}

/// The squared cosine of x and its code, times |x|^2.
template <int kBits>
inline double
match(const float* x, float inverse_step, std::size_t n) {
    float dots[kLanes] = {};
    float norms[kLanes] = {};
    for (std::size_t i = 0; i < n; i += kLanes)
        for (std::size_t k = 0; k < kLanes; k++) {
            const float u =
                static_cast<float>(level_of<kBits>(x[i + k], inverse_step)) - kHalf<kBits>;
            dots[k] += x[i + k] * inverse_step * u;
            norms[k] += u * u;
        }
    double dot = 0;
    double norm = 0;
    for (std::size_t k = 0; k < kLanes; k++) {
        dot += dots[k];
        norm += norms[k];
    }
    dot /= inverse_step;
    return dot * dot / norm;
}

/// One over the step. 8 bits span the whole range; 4 bits do better to clip the few largest
/// coordinates, at about 2.7 deviations.
template <int kBits>
inline float
choose_inverse_step(const float* x, double squared_norm, std::size_t n) {
    if constexpr (kBits == 8) {
        return kHalf<8> / max_magnitude(x, n);
    } else {
        constexpr double kRange[] = {2.05, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9, 3.05, 3.2, 3.4};
        const double deviation = std::sqrt(squared_norm / static_cast<double>(n));
        float best = 0;
        double best_match = -1;
        for (double range : kRange) {
            const float inverse_step =
                static_cast<float>((kHalf<kBits> + 0.5) / (range * deviation));
            const double matched = match<kBits>(x, inverse_step, n);
            if (matched > best_match) {
                best_match = matched;
                best = inverse_step;
            }
        }
        return best;
    }
}

}  // namespace vext::core
