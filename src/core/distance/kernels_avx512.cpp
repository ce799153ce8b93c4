// The kernels for AVX-512 (F, BW, DQ, VL, CD) with VNNI.

#include "core/distance/kernels.h"

#if defined(__x86_64__)

// GCC's own headers pass deliberately undefined vectors, which GCC 12 reports as ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <xsimd/xsimd.hpp>
#pragma GCC diagnostic pop

namespace vext::core {
namespace {

using Arch = xsimd::avx512bw;
using Floats = xsimd::batch<float, Arch>;
using Doubles = xsimd::batch<double, Arch>;
using Ints = xsimd::batch<std::int32_t, Arch>;
constexpr std::size_t kLanes = Floats::size;

/// A mask of the first n of 64 bytes, 1 <= n <= 64.
inline __mmask64
first_bytes(std::size_t n) {
    return ~std::uint64_t{0} >> (64 - n);
}

inline __mmask16
first_lanes(std::size_t n) {
    return static_cast<__mmask16>((1u << n) - 1);
}

inline Doubles
load_doubles(const float* p) {
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}

inline Doubles
gather_doubles(const float* table, std::uint32_t n_numbers, const std::int32_t* indices) {
    const __m256i places = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(indices));
    const __mmask8 are_there =
        _mm256_cmplt_epu32_mask(places, _mm256_set1_epi32(static_cast<int>(n_numbers)));
    return _mm512_cvtps_pd(
        _mm256_mmask_i32gather_ps(_mm256_setzero_ps(), are_there, places, table, sizeof(float)));
}

inline Ints
load_codes(const std::uint8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

inline Floats
load_partial(const float* p, std::size_t n) {
    return _mm512_maskz_loadu_ps(first_lanes(n), p);
}

inline Ints
load_codes_partial(const std::uint8_t* p, std::size_t n) {
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first_lanes(n), p));
}

inline float
sum_lanes(const Floats& x) {
    return _mm512_reduce_add_ps(x);
}

inline double
sum_lanes(const Doubles& x) {
    return _mm512_reduce_add_pd(x);
}

template <std::size_t kStride>
inline Floats
swap_lanes(const Floats& x) {
    if constexpr (kStride == 1)
        return _mm512_permute_ps(x, 0xB1);
    else if constexpr (kStride == 2)
        return _mm512_permute_ps(x, 0x4E);
    else if constexpr (kStride == 4)
        return _mm512_shuffle_f32x4(x, x, 0xB1);
    else
        return _mm512_shuffle_f32x4(x, x, 0x4E);
}

/// The dot products of 64 bytes of code4 with both halves of a query, added to two sums.
struct Code4Dots {
    __m512i low = _mm512_setzero_si512();
    __m512i high = _mm512_setzero_si512();

    void
    add(__m512i codes, __m512i query_low, __m512i query_high) {
        const __m512i nibble = _mm512_set1_epi8(15);
        low = _mm512_dpbusd_epi32(low, _mm512_and_si512(codes, nibble), query_low);
        high = _mm512_dpbusd_epi32(high, _mm512_and_si512(_mm512_srli_epi16(codes, 4), nibble),
                                   query_high);
    }
};

std::int32_t
dot_code4(const std::uint8_t* code4, const std::int8_t* query, std::size_t n) {
    const std::size_t n_bytes = n / 2;
    const std::int8_t* query_high = query + n_bytes;
    Code4Dots even, odd;
    std::size_t i = 0;
    for (; i + 128 <= n_bytes; i += 128) {
        even.add(_mm512_loadu_si512(code4 + i), _mm512_loadu_si512(query + i),
                 _mm512_loadu_si512(query_high + i));
        odd.add(_mm512_loadu_si512(code4 + i + 64), _mm512_loadu_si512(query + i + 64),
                _mm512_loadu_si512(query_high + i + 64));
    }
    for (; i < n_bytes; i += 64) {
        const __mmask64 mask = first_bytes(n_bytes - i < 64 ? n_bytes - i : 64);
        even.add(_mm512_maskz_loadu_epi8(mask, code4 + i), _mm512_maskz_loadu_epi8(mask, query + i),
                 _mm512_maskz_loadu_epi8(mask, query_high + i));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_add_epi32(even.low, odd.low),
                                                    _mm512_add_epi32(even.high, odd.high)));
}

std::int32_t
dot_code8(const std::uint8_t* code8, const std::int8_t* query, std::size_t n) {
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    std::size_t i = 0;
    for (; i + 128 <= n; i += 128) {
        even =
            _mm512_dpbusd_epi32(even, _mm512_loadu_si512(code8 + i), _mm512_loadu_si512(query + i));
        odd = _mm512_dpbusd_epi32(odd, _mm512_loadu_si512(code8 + i + 64),
                                  _mm512_loadu_si512(query + i + 64));
    }
    for (; i < n; i += 64) {
        const __mmask64 mask = first_bytes(n - i < 64 ? n - i : 64);
        even = _mm512_dpbusd_epi32(even, _mm512_maskz_loadu_epi8(mask, code8 + i),
                                   _mm512_maskz_loadu_epi8(mask, query + i));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

/// Levels of 4 and of 8 bits alike.
void
tile_products(const std::uint8_t* rows, const std::int8_t* columns, std::size_t n,
              std::int32_t* products) {
    constexpr std::size_t kHalf = kTileColumns / 2;
    __m512i left[kTileRows];
    __m512i right[kTileRows];
    for (std::size_t r = 0; r < kTileRows; ++r)
        left[r] = right[r] = _mm512_setzero_si512();
#pragma GCC unroll 2
    for (std::size_t i = 0; i < n; i += 4) {
        const __m512i column_left = _mm512_loadu_si512(columns + i * kTileColumns);
        const __m512i column_right = _mm512_loadu_si512(columns + i * kTileColumns + 64);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kTileRows; ++r) {
            std::int32_t levels;
            __builtin_memcpy(&levels, rows + r * n + i, sizeof(levels));
            const __m512i row = _mm512_set1_epi32(levels);
            left[r] = _mm512_dpbusd_epi32(left[r], row, column_left);
            right[r] = _mm512_dpbusd_epi32(right[r], row, column_right);
        }
    }
    for (std::size_t r = 0; r < kTileRows; ++r) {
        _mm512_storeu_si512(products + r * kTileColumns, left[r]);
        _mm512_storeu_si512(products + r * kTileColumns + kHalf, right[r]);
    }
}

/// One bit a lane: x <= y.
inline std::uint32_t
compare_lanes(const Floats& x, const Floats& y) {
    return _mm512_cmp_ps_mask(x, y, _CMP_LE_OQ);
}

inline Floats
load_halves(const std::uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

inline Floats
load_halves_partial(const std::uint16_t* p, std::size_t n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), p));
}

inline void
store_halves(std::uint16_t* p, const Floats& x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

}  // namespace
}  // namespace vext::core

#include "core/distance/kernels.inl"
#include "core/distance/kernels_half.inl"
#include "core/distance/spread.inl"
#include "core/distance/tiles.inl"

namespace vext::core {

constinit const Kernels kernels_avx512 = {
    "avx512",        l2_squared,        inner_product,   l1,
    cosine_parts,    squared_norm,      dot_code4,       dot_code8,
    dot_code4_float, dot_code8_float,   l1_code8,        hadamard,
    tile_products,   tile_products,     tile_distances,  sort_keys,
    spread_squares,  spread_magnitudes, spread_products,
};

constinit const HalfKernels half_kernels_avx512 = {
    "avx512",          half_l2_squared,   half_inner_product, half_l1,
    half_cosine_parts, half_squared_norm, widen_halves,       narrow_to_halves,
};

}  // namespace vext::core

#endif
