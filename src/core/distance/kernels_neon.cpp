// The kernels for NEON on 64-bit ARM; the dot-product extension is not required.

#include "core/distance/kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <xsimd/xsimd.hpp>

namespace vext::core {
namespace {

using Arch = xsimd::neon64;
using Floats = xsimd::batch<float, Arch>;
using Doubles = xsimd::batch<double, Arch>;
using Ints = xsimd::batch<std::int32_t, Arch>;
constexpr std::size_t kLanes = Floats::size;

inline Doubles
load_doubles(const float* p) {
    return vcvt_f64_f32(vld1_f32(p));
}

inline Ints
widen_codes(std::uint32_t codes) {
    const uint8x8_t bytes = vreinterpret_u8_u32(vdup_n_u32(codes));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))));
}

inline Doubles
gather_doubles(const float* table, std::uint32_t n_numbers, const std::int32_t* indices) {
    double numbers[Doubles::size];
    for (std::size_t i = 0; i < Doubles::size; ++i) {
        const auto place = static_cast<std::uint32_t>(indices[i]);
        numbers[i] = place < n_numbers ? static_cast<double>(table[place]) : 0;
    }
    return Doubles::load_unaligned(numbers);
}

inline Ints
load_codes(const std::uint8_t* p) {
    std::uint32_t codes;
    __builtin_memcpy(&codes, p, sizeof(codes));
    return widen_codes(codes);
}

inline Floats
load_partial(const float* p, std::size_t n) {
    float32x4_t lanes = vld1q_lane_f32(p, vdupq_n_f32(0), 0);
    if (n > 1)
        lanes = vld1q_lane_f32(p + 1, lanes, 1);
    if (n > 2)
        lanes = vld1q_lane_f32(p + 2, lanes, 2);
    return lanes;
}

inline Ints
load_codes_partial(const std::uint8_t* p, std::size_t n) {
    std::uint32_t codes = 0;
    for (std::size_t i = 0; i < n; ++i)
        codes |= static_cast<std::uint32_t>(p[i]) << (8 * i);
    return widen_codes(codes);
}

inline float
sum_lanes(const Floats& x) {
    return vaddvq_f32(x);
}

inline double
sum_lanes(const Doubles& x) {
    return vaddvq_f64(x);
}

template <std::size_t kStride>
inline Floats
swap_lanes(const Floats& x) {
    if constexpr (kStride == 1)
        return vrev64q_f32(x);
    else
        return vextq_f32(x, x, 2);
}

/// The products of 16 levels (at most 15 each) and a query, added in pairs into 16 bits, then into
/// `sums`.
inline int32x4_t
add_code4_dot(int32x4_t sums, uint8x16_t levels, const std::int8_t* query) {
    const int8x16_t x = vreinterpretq_s8_u8(levels);
    const int8x16_t y = vld1q_s8(query);
    const int16x8_t products = vmull_s8(vget_low_s8(x), vget_low_s8(y));
    return vpadalq_s16(sums, vmlal_s8(products, vget_high_s8(x), vget_high_s8(y)));
}

std::int32_t
dot_code4(const std::uint8_t* code4, const std::int8_t* query, std::size_t n) {
    const std::size_t n_bytes = n / 2;
    const std::int8_t* query_high = query + n_bytes;
    int32x4_t low = vdupq_n_s32(0);
    int32x4_t high = vdupq_n_s32(0);
    std::size_t i = 0;
    for (; i + 16 <= n_bytes; i += 16) {
        const uint8x16_t codes = vld1q_u8(code4 + i);
        low = add_code4_dot(low, vandq_u8(codes, vdupq_n_u8(15)), query + i);
        high = add_code4_dot(high, vshrq_n_u8(codes, 4), query_high + i);
    }
    std::int32_t sum = vaddvq_s32(vaddq_s32(low, high));
    for (; i < n_bytes; ++i)
        sum += (code4[i] & 15) * query[i] + (code4[i] >> 4) * query_high[i];
    return sum;
}

std::int32_t
dot_code8(const std::uint8_t* code8, const std::int8_t* query, std::size_t n) {
    int32x4_t even = vdupq_n_s32(0);
    int32x4_t odd = vdupq_n_s32(0);
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const int16x8_t x = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(code8 + i)));
        const int16x8_t y = vmovl_s8(vld1_s8(query + i));
        even = vmlal_s16(even, vget_low_s16(x), vget_low_s16(y));
        odd = vmlal_s16(odd, vget_high_s16(x), vget_high_s16(y));
    }
    std::int32_t sum = vaddvq_s32(vaddq_s32(even, odd));
    for (; i < n; ++i)
        sum += code8[i] * query[i];
    return sum;
}

/// Adds the products of four levels of a row and of each of four columns.
inline int32x4_t
add_tile_products(int32x4_t sums, int16x4_t row, const std::int8_t* columns) {
    const int16x8_t left = vmovl_s8(vld1_s8(columns));
    const int16x8_t right = vmovl_s8(vld1_s8(columns + 8));
    const int32x4_t pairs_left =
        vpaddq_s32(vmull_s16(row, vget_low_s16(left)), vmull_s16(row, vget_high_s16(left)));
    const int32x4_t pairs_right =
        vpaddq_s32(vmull_s16(row, vget_low_s16(right)), vmull_s16(row, vget_high_s16(right)));
    return vaddq_s32(sums, vpaddq_s32(pairs_left, pairs_right));
}

/// Levels of 4 and of 8 bits alike.
void
tile_products(const std::uint8_t* rows, const std::int8_t* columns, std::size_t n,
              std::int32_t* products) {
    for (std::size_t r = 0; r < kTileRows; ++r) {
        int32x4_t sums[kTileColumns / 4];
        for (int32x4_t& sum : sums)
            sum = vdupq_n_s32(0);
        for (std::size_t i = 0; i < n; i += 4) {
            std::uint32_t levels;
            __builtin_memcpy(&levels, rows + r * n + i, sizeof(levels));
            const int16x4_t row = vreinterpret_s16_u16(
                vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(levels)))));
            for (std::size_t c = 0; c < kTileColumns; c += 4)
                sums[c / 4] =
                    add_tile_products(sums[c / 4], row, columns + i * kTileColumns + c * 4);
        }
        for (std::size_t c = 0; c < kTileColumns; c += 4)
            vst1q_s32(products + r * kTileColumns + c, sums[c / 4]);
    }
}

/// One bit a lane: x <= y.
inline std::uint32_t
compare_lanes(const Floats& x, const Floats& y) {
    constexpr std::uint32_t kBits[] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vcleq_f32(x, y), vld1q_u32(kBits)));
}

inline Floats
load_halves(const std::uint16_t* p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

inline Floats
load_halves_partial(const std::uint16_t* p, std::size_t n) {
    std::uint16_t halves[kLanes] = {};
    for (std::size_t i = 0; i < n; ++i)
        halves[i] = p[i];
    return load_halves(halves);
}

inline void
store_halves(std::uint16_t* p, const Floats& x) {
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x)));
}

using Bits = uint8x16_t;
constexpr std::size_t kBitBytes = sizeof(Bits);

inline Bits
load_bits(const std::uint8_t* p) {
    return vld1q_u8(p);
}

inline Bits
load_bits_partial(const std::uint8_t* p, std::size_t n) {
    std::uint8_t bytes[kBitBytes] = {};
    for (std::size_t i = 0; i < n; ++i)
        bytes[i] = p[i];
    return vld1q_u8(bytes);
}

inline Bits
splat_bits(std::uint64_t word) {
    return vreinterpretq_u8_u64(vdupq_n_u64(word));
}

struct BitSum {
    uint64x2_t lanes = vdupq_n_u64(0);

    void
    add(Bits x) {
        lanes = vpadalq_u32(lanes, vpaddlq_u16(vpaddlq_u8(vcntq_u8(x))));
    }
    void
    merge(const BitSum& other) {
        lanes = vaddq_u64(lanes, other.lanes);
    }
    std::uint64_t
    total() const {
        return vaddvq_u64(lanes);
    }
    void
    store(std::int32_t* out) const {
        vst1_s32(out, vreinterpret_s32_u32(vmovn_u64(lanes)));
    }
};

}  // namespace
}  // namespace vext::core

#include "core/distance/bits.inl"
#include "core/distance/kernels.inl"
#include "core/distance/kernels_half.inl"
#include "core/distance/spread.inl"
#include "core/distance/tiles.inl"

namespace vext::core {

constinit const Kernels kernels_neon = {
    "neon",          l2_squared,        inner_product,   l1,
    cosine_parts,    squared_norm,      dot_code4,       dot_code8,
    dot_code4_float, dot_code8_float,   l1_code8,        hadamard,
    tile_products,   tile_products,     tile_distances,  sort_keys,
    spread_squares,  spread_magnitudes, spread_products,
};

constinit const HalfKernels half_kernels_neon = {
    "neon",       half_l2_squared,   half_inner_product,
    half_l1,      half_cosine_parts, half_squared_norm,
    widen_halves, narrow_to_halves,
};

constinit const BitKernels bit_kernels_neon = {"neon", hamming, jaccard_parts, tile_common};

}  // namespace vext::core

#endif
