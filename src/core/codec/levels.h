// Levels of the scalar codecs: how they are chosen and laid out.
//
// With step s, coordinate i of x gets the level z = floor(x[i] / s) + 2^b / 2, clipped to b bits;
// it stands for s u with u = z - (2^b - 1) / 2. 8 bits take a byte a dimension; 4 bits are laid out
// as dot_code4 wants them: byte j has dimension j in its low and j + n / 2 in its high half.
// Numbers of dimensions are padded, so that no lane is left over.

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/codec/lanes.h"

namespace vext::core {

template <int kBits>
inline constexpr float kHalf = 0.5f * ((1 << kBits) - 1);

template <int kBits>
inline Ints
levels_of(Floats x, float inverse_step) {
    const Floats levels = x * inverse_step + (kHalf<kBits> + 0.5f);
    return truncate(min(max(levels, spread(0)), spread(2 * kHalf<kBits>)));
}

/// The centred levels u.
template <int kBits>
inline Floats
centre(Ints levels) {
    return to_floats(levels) - kHalf<kBits>;
}

/// Calls visit(i, levels) for the kLanes dimensions from i on, for every such i.
template <int kBits, typename Visit>
inline void
for_each_levels(const std::uint8_t* code, std::size_t n, Visit visit) {
    const std::size_t n_bytes = n * kBits / 8;
    for (std::size_t j = 0; j < n_bytes; j += kLanes) {
        const Ints bytes = to_ints(load_bytes(code + j));
        if constexpr (kBits == 8) {
            visit(j, bytes);
        } else {
            visit(j, bytes & 15);
            visit(j + n_bytes, bytes >> 4);
        }
    }
}

/// Writes levels as signed bytes and returns their sum. Of 4 bits they are 2 u, odd numbers of at
/// most 15: nothing is rounded. With 8 bits u lies half-way between integers; always the lower one,
/// as good as any for a rotated vector.
template <int kBits>
inline std::int32_t
write_signed_levels(const std::uint8_t* code, std::size_t n, std::int8_t* levels) {
    const std::size_t n_bytes = n * kBits / 8;
    Ints sums = {};
    const auto write_block = [&](std::size_t j, std::size_t size) {
        ByteBlock bytes = {};
        std::memcpy(&bytes, code + j, size);
        ByteBlock first = bytes - 128;
        if constexpr (kBits == 4) {
            const ByteBlock low = bytes & 15;
            const ByteBlock high = bytes >> 4;
            bytes = low + high;
            first = 2 * low - 15;
            const ByteBlock second = 2 * high - 15;
            std::memcpy(levels + n_bytes + j, &second, size);
        }
        std::memcpy(levels + j, &first, size);
        sums += sums_of_bytes(bytes);
    };
    std::size_t j = 0;
    for (; j + sizeof(ByteBlock) <= n_bytes; j += sizeof(ByteBlock))
        write_block(j, sizeof(ByteBlock));
    if (j < n_bytes)
        write_block(j, n_bytes - j);
    const auto n_levels = static_cast<std::int32_t>(n);
    return kBits == 4 ? 2 * sum_of(sums) - 15 * n_levels : sum_of(sums) - 128 * n_levels;
}

template <int kBits>
inline void
write_levels(const float* x, float inverse_step, std::size_t n, std::uint8_t* code) {
    const std::size_t n_bytes = n * kBits / 8;
    for (std::size_t j = 0; j < n_bytes; j += kLanes) {
        Ints bytes = levels_of<kBits>(load(x + j), inverse_step);
        if constexpr (kBits == 4)
            bytes |= levels_of<4>(load(x + j + n_bytes), inverse_step) << 4;
        store_bytes(code + j, bytes);
    }
}

inline float
max_magnitude(const float* x, std::size_t n) {
    Floats lanes = {};
    for (std::size_t i = 0; i < n; i += kLanes)
        lanes = max(magnitude(load(x + i)), lanes);
    return largest_of(lanes);
}

/// The squared cosine of x and its code, times |x|^2.
template <int kBits>
inline double
match(const float* x, float inverse_step, std::size_t n) {
    Floats dots = {};
    Floats norms = {};
    for (std::size_t i = 0; i < n; i += kLanes) {
        const Floats u = centre<kBits>(levels_of<kBits>(load(x + i), inverse_step));
        dots += load(x + i) * inverse_step * u;
        norms += u * u;
    }
    const double dot = sum_of(dots) / static_cast<double>(inverse_step);
    return dot * dot / static_cast<double>(sum_of(norms));
}

/// One over the step that 8 bits need to span the whole range.
inline float
inverse_step_of_range(const float* x, std::size_t n) {
    return kHalf<8> / max_magnitude(x, n);
}

/// One over the step for which 4 bits match x best. They clip the few largest coordinates: for
/// normally distributed ones at 2.7 deviations. Climbs from there, since the match has one peak but
/// for ripples.
inline float
best_inverse_step(const float* x, double squared_norm, std::size_t n) {
    constexpr double kRanges[] = {1.9, 2.1, 2.25, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9, 3.05, 3.2, 3.4};
    constexpr int kUsual = 6;
    constexpr int kCount = sizeof(kRanges) / sizeof(kRanges[0]);
    const double deviation = std::sqrt(squared_norm / static_cast<double>(n));
    const auto inverse_step = [&](int i) {
        return static_cast<float>((kHalf<4> + 0.5) / (kRanges[i] * deviation));
    };
    int best = kUsual;
    double best_match = match<4>(x, inverse_step(best), n);
    for (int direction = -1; direction <= 1; direction += 2)
        for (int i = best + direction; i >= 0 && i < kCount; i += direction) {
            const double matched = match<4>(x, inverse_step(i), n);
            if (matched <= best_match)
                break;
            best = i;
            best_match = matched;
        }
    return inverse_step(best);
}

}  // namespace vext::core
