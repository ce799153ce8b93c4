// The kernels for AVX2 with FMA, those of halves with F16C.

#include "core/distance/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <xsimd/xsimd.hpp>

namespace vext::core {
namespace {

using Arch = xsimd::fma3<xsimd::avx2>;
using Floats = xsimd::batch<float, Arch>;
using Doubles = xsimd::batch<double, Arch>;
using Ints = xsimd::batch<std::int32_t, Arch>;
constexpr std::size_t kLanes = Floats::size;

inline Doubles
load_doubles(const float* p) {
    return _mm256_cvtps_pd(_mm_loadu_ps(p));
}

inline Doubles
gather_doubles(const float* table, std::uint32_t n_numbers, const std::int32_t* indices) {
    const __m128i places = _mm_loadu_si128(reinterpret_cast<const __m128i*>(indices));
    const __m128i last = _mm_set1_epi32(static_cast<int>(n_numbers - 1));
    const __m128i are_there = _mm_cmpeq_epi32(_mm_min_epu32(places, last), places);
    return _mm256_cvtps_pd(_mm_mask_i32gather_ps(_mm_setzero_ps(), table, places,
                                                 _mm_castsi128_ps(are_there), sizeof(float)));
}

inline Ints
load_codes(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}

inline Floats
load_partial(const float* p, std::size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
}

inline Ints
load_codes_partial(const std::uint8_t* p, std::size_t n) {
    std::uint64_t codes = 0;
    for (std::size_t i = 0; i < n; ++i)
        codes |= static_cast<std::uint64_t>(p[i]) << (8 * i);
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(codes)));
}

inline float
sum_lanes(const Floats& x) {
    const __m128 sum4 = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 sum2 = _mm_add_ps(sum4, _mm_movehl_ps(sum4, sum4));
    return _mm_cvtss_f32(_mm_add_ss(sum2, _mm_movehdup_ps(sum2)));
}

inline double
sum_lanes(const Doubles& x) {
    const __m128d sum2 = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
    return _mm_cvtsd_f64(_mm_add_sd(sum2, _mm_unpackhi_pd(sum2, sum2)));
}

template <std::size_t kStride>
inline Floats
swap_lanes(const Floats& x) {
    if constexpr (kStride == 1)
        return _mm256_permute_ps(x, 0xB1);
    else if constexpr (kStride == 2)
        return _mm256_permute_ps(x, 0x4E);
    else
        return _mm256_permute2f128_ps(x, x, 0x01);
}

inline __m256i
load_bytes(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

inline std::int32_t
sum_ints(__m256i x) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1)));
}

/// 32 bytes of code4 against both halves of a query: 16 sums of four products each. One sum is at
/// most 4 * 15 * 128 in magnitude, so four of them still fit 16 bits.
inline __m256i
dot_code4_block(const std::uint8_t* code4, const std::int8_t* query_low,
                const std::int8_t* query_high) {
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i codes = load_bytes(code4);
    const __m256i low = _mm256_and_si256(codes, nibble);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(codes, 4), nibble);
    return _mm256_add_epi16(_mm256_maddubs_epi16(low, load_bytes(query_low)),
                            _mm256_maddubs_epi16(high, load_bytes(query_high)));
}

std::int32_t
dot_code4(const std::uint8_t* code4, const std::int8_t* query, std::size_t n) {
    const std::size_t n_bytes = n / 2;
    const std::int8_t* query_high = query + n_bytes;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums = _mm256_setzero_si256();
    std::size_t i = 0;
    for (; i + 128 <= n_bytes; i += 128) {
        const __m256i even =
            _mm256_add_epi16(dot_code4_block(code4 + i, query + i, query_high + i),
                             dot_code4_block(code4 + i + 32, query + i + 32, query_high + i + 32));
        const __m256i odd =
            _mm256_add_epi16(dot_code4_block(code4 + i + 64, query + i + 64, query_high + i + 64),
                             dot_code4_block(code4 + i + 96, query + i + 96, query_high + i + 96));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_add_epi16(even, odd), ones));
    }
    for (; i + 32 <= n_bytes; i += 32)
        sums = _mm256_add_epi32(
            sums, _mm256_madd_epi16(dot_code4_block(code4 + i, query + i, query_high + i), ones));
    std::int32_t sum = sum_ints(sums);
    for (; i < n_bytes; ++i)
        sum += (code4[i] & 15) * query[i] + (code4[i] >> 4) * query_high[i];
    return sum;
}

/// 16 products of codes and query, added in pairs: maddubs would saturate.
inline __m256i
dot_code8_block(const std::uint8_t* code8, const std::int8_t* query) {
    return _mm256_madd_epi16(
        _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(code8))),
        _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query))));
}

std::int32_t
dot_code8(const std::uint8_t* code8, const std::int8_t* query, std::size_t n) {
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    std::size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        even = _mm256_add_epi32(even, dot_code8_block(code8 + i, query + i));
        odd = _mm256_add_epi32(odd, dot_code8_block(code8 + i + 16, query + i + 16));
    }
    if (i + 16 <= n) {
        even = _mm256_add_epi32(even, dot_code8_block(code8 + i, query + i));
        i += 16;
    }
    std::int32_t sum = sum_ints(_mm256_add_epi32(even, odd));
    for (; i < n; ++i)
        sum += code8[i] * query[i];
    return sum;
}

/// Four bytes, in every 32-bit lane.
inline __m256i
spread_levels(const std::uint8_t* levels) {
    std::int32_t four;
    __builtin_memcpy(&four, levels, sizeof(four));
    return _mm256_set1_epi32(four);
}

/// Four rows against 16 columns, dimensions begin..end, added to the products. A sum of two
/// products is at most 2 * 15 * 8 in magnitude, so that kMaxDims / 4 of them fit 16 bits.
struct QuarterTile4 {
    static constexpr std::size_t kRows = 4;
    static constexpr std::size_t kMaxDims = 512;

    const std::uint8_t* rows;
    const std::int8_t* columns;
    std::size_t n;
    std::int32_t* products;

    void
    add(std::size_t begin, std::size_t end) const {
        __m256i left[kRows];
        __m256i right[kRows];
        for (std::size_t r = 0; r < kRows; ++r)
            left[r] = right[r] = _mm256_setzero_si256();
        for (std::size_t i = begin; i < end; i += 4) {
            const __m256i column_left = load_bytes(columns + i * kTileColumns);
            const __m256i column_right = load_bytes(columns + i * kTileColumns + 32);
#pragma GCC unroll 4
            for (std::size_t r = 0; r < kRows; ++r) {
                const __m256i row = spread_levels(rows + r * n + i);
                left[r] = _mm256_add_epi16(left[r], _mm256_maddubs_epi16(row, column_left));
                right[r] = _mm256_add_epi16(right[r], _mm256_maddubs_epi16(row, column_right));
            }
        }
        for (std::size_t r = 0; r < kRows; ++r) {
            add_pairs(left[r], products + r * kTileColumns);
            add_pairs(right[r], products + r * kTileColumns + 8);
        }
    }

    static void
    add_pairs(__m256i sums, std::int32_t* products) {
        const __m256i pairs = _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(products),
                            _mm256_add_epi32(load_bytes(products), pairs));
    }
};

void
tile_products4(const std::uint8_t* rows, const std::int8_t* columns, std::size_t n,
               std::int32_t* products) {
    __builtin_memset(products, 0, kTileRows * kTileColumns * sizeof(*products));
    for (std::size_t begin = 0; begin < n; begin += QuarterTile4::kMaxDims) {
        const std::size_t rest = n - begin;
        const std::size_t end =
            begin + (rest < QuarterTile4::kMaxDims ? rest : QuarterTile4::kMaxDims);
        for (std::size_t r = 0; r < kTileRows; r += QuarterTile4::kRows)
            for (std::size_t c = 0; c < kTileColumns; c += 16)
                QuarterTile4{rows + r * n, columns + c * 4, n, products + r * kTileColumns + c}.add(
                    begin, end);
    }
}

/// Four rows against 8 columns; in 16 bits, where maddubs would saturate.
void
multiply_8_columns(const std::uint8_t* rows, const std::int8_t* columns, std::size_t n,
                   std::int32_t* products) {
    constexpr std::size_t kRows = 4;
    __m256i left[kRows];
    __m256i right[kRows];
    for (std::size_t r = 0; r < kRows; ++r)
        left[r] = right[r] = _mm256_setzero_si256();
    for (std::size_t i = 0; i < n; i += 4) {
        const __m256i column = load_bytes(columns + i * kTileColumns);
        const __m256i column_left = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(column));
        const __m256i column_right = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(column, 1));
#pragma GCC unroll 4
        for (std::size_t r = 0; r < kRows; ++r) {
            const __m256i levels = spread_levels(rows + r * n + i);
            const __m256i row = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(levels));
            left[r] = _mm256_add_epi32(left[r], _mm256_madd_epi16(row, column_left));
            right[r] = _mm256_add_epi32(right[r], _mm256_madd_epi16(row, column_right));
        }
    }
    for (std::size_t r = 0; r < kRows; ++r) {
        const __m256i sums = _mm256_hadd_epi32(left[r], right[r]);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + r * kTileColumns),
                            _mm256_permute4x64_epi64(sums, 0xD8));
    }
}

void
tile_products8(const std::uint8_t* rows, const std::int8_t* columns, std::size_t n,
               std::int32_t* products) {
    for (std::size_t r = 0; r < kTileRows; r += 4)
        for (std::size_t c = 0; c < kTileColumns; c += 8)
            multiply_8_columns(rows + r * n, columns + c * 4, n, products + r * kTileColumns + c);
}

/// One bit a lane: x <= y.
inline std::uint32_t
compare_lanes(const Floats& x, const Floats& y) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, y, _CMP_LE_OQ)));
}

inline Floats
load_halves(const std::uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
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
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

using Bits = __m256i;
constexpr std::size_t kBitBytes = sizeof(Bits);

inline Bits
load_bits(const std::uint8_t* p) {
    return load_bytes(p);
}

inline Bits
load_bits_partial(const std::uint8_t* p, std::size_t n) {
    const std::size_t n_words = n / 4;
    std::uint32_t rest = 0;
    for (std::size_t i = 4 * n_words; i < n; ++i)
        rest |= static_cast<std::uint32_t>(p[i]) << (8 * (i % 4));
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i place = _mm256_set1_epi32(static_cast<int>(n_words));
    const __m256i words =
        _mm256_maskload_epi32(reinterpret_cast<const int*>(p), _mm256_cmpgt_epi32(place, lane));
    return words | (_mm256_set1_epi32(static_cast<int>(rest)) & _mm256_cmpeq_epi32(place, lane));
}

inline Bits
splat_bits(std::uint64_t word) {
    return _mm256_set1_epi64x(static_cast<long long>(word));
}

/// Each nibble's bits are looked up in a table; a sum of absolute differences from zero adds those
/// of eight bytes.
struct BitSum {
    __m256i lanes = _mm256_setzero_si256();

    void
    add(Bits x) {
        const __m256i nibble = _mm256_set1_epi8(15);
        const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                               0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
        const __m256i low = _mm256_and_si256(x, nibble);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble);
        const __m256i counts =
            _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high));
        lanes = _mm256_add_epi64(lanes, _mm256_sad_epu8(counts, _mm256_setzero_si256()));
    }
    void
    merge(const BitSum& other) {
        lanes = _mm256_add_epi64(lanes, other.lanes);
    }
    std::uint64_t
    total() const {
        const __m128i sum =
            _mm_add_epi64(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
        return static_cast<std::uint64_t>(
            _mm_cvtsi128_si64(_mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum))));
    }
    void
    store(std::int32_t* out) const {
        const __m256i low_halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                         _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(lanes, low_halves)));
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

constinit const Kernels kernels_avx2 = {
    "avx2",          l2_squared,        inner_product,   l1,
    cosine_parts,    squared_norm,      dot_code4,       dot_code8,
    dot_code4_float, dot_code8_float,   l1_code8,        hadamard,
    tile_products4,  tile_products8,    tile_distances,  sort_keys,
    spread_squares,  spread_magnitudes, spread_products,
};

constinit const HalfKernels half_kernels_avx2 = {
    "avx2",       half_l2_squared,   half_inner_product,
    half_l1,      half_cosine_parts, half_squared_norm,
    widen_halves, narrow_to_halves,
};

constinit const BitKernels bit_kernels_avx2 = {"avx2", hamming, jaccard_parts, tile_common};

}  // namespace vext::core

#endif
