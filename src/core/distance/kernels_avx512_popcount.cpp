// The bit kernels for AVX-512 (F, BW) with VPOPCNTDQ, which some CPUs of that level lack.

#include "core/distance/kernels.h"

#if defined(__x86_64__)

// As in kernels_avx512.cpp.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

namespace vext::core {
namespace {

using Bits = __m512i;
constexpr std::size_t kBitBytes = sizeof(Bits);

inline Bits
load_bits(const std::uint8_t* p) {
    return _mm512_loadu_si512(p);
}

inline Bits
load_bits_partial(const std::uint8_t* p, std::size_t n) {
    return _mm512_maskz_loadu_epi8(~std::uint64_t{0} >> (64 - n), p);
}

inline Bits
splat_bits(std::uint64_t word) {
    return _mm512_set1_epi64(static_cast<long long>(word));
}

struct BitSum {
    __m512i lanes = _mm512_setzero_si512();

    void
    add(Bits x) {
        lanes = _mm512_add_epi64(lanes, _mm512_popcnt_epi64(x));
    }
    void
    merge(const BitSum& other) {
        lanes = _mm512_add_epi64(lanes, other.lanes);
    }
    std::uint64_t
    total() const {
        return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(lanes));
    }
    void
    store(std::int32_t* out) const {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi64_epi32(lanes));
    }
};

}  // namespace
}  // namespace vext::core

#include "core/distance/bits.inl"

namespace vext::core {

constinit const BitKernels bit_kernels_avx512 = {"avx512", hamming, jaccard_parts, tile_common};

}  // namespace vext::core

#endif
