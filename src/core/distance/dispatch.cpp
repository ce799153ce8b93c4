// Chooses the kernels for this CPU. The choice is plain pointers: one backend, one thread.

#include "core/distance/dispatch.h"

namespace vext::core {
namespace internal {
constinit const Kernels* selected_kernels = &kernels_scalar;
constinit const HalfKernels* selected_half_kernels = &half_kernels_scalar;
constinit const BitKernels* selected_bit_kernels = &bit_kernels_scalar;
}  // namespace internal

namespace {

/// The table of a level, or null where this build or CPU has none.
const Kernels*
find_kernels(SimdLevel level) {
    switch (level) {
        case SimdLevel::kScalar:
            return &kernels_scalar;
#if defined(__x86_64__)
        case SimdLevel::kAvx2:
            __builtin_cpu_init();
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernels_avx2
                                                                                   : nullptr;
        case SimdLevel::kAvx512:
            __builtin_cpu_init();
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("avx512vl") &&
                           __builtin_cpu_supports("avx512cd") &&
                           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma")
                       ? &kernels_avx512
                       : nullptr;
#elif defined(__aarch64__)
        case SimdLevel::kNeon:
            return &kernels_neon;
#endif
        default:
            return nullptr;
    }
}

#if defined(__x86_64__)
// clang 14 has no word for it.
bool
has_f16c() {
    std::uint32_t a = 1, b = 0, c = 0, d = 0;
    asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (c >> 29 & 1) != 0;
}
#endif

}  // namespace

SimdLevel
best_simd_level() {
    constexpr SimdLevel kBestFirst[] = {SimdLevel::kAvx512, SimdLevel::kAvx2, SimdLevel::kNeon};
    for (SimdLevel level : kBestFirst)
        if (find_kernels(level) != nullptr)
            return level;
    return SimdLevel::kScalar;
}

bool
is_supported(SimdLevel level) {
    return level == SimdLevel::kAuto || find_kernels(level) != nullptr;
}

const Kernels&
kernels_of(SimdLevel level) {
    return *find_kernels(level == SimdLevel::kAuto ? best_simd_level() : level);
}

const HalfKernels&
half_kernels_of(SimdLevel level) {
    switch (level == SimdLevel::kAuto ? best_simd_level() : level) {
#if defined(__x86_64__)
        case SimdLevel::kAvx512:
            return half_kernels_avx512;
        case SimdLevel::kAvx2:
            return has_f16c() ? half_kernels_avx2 : half_kernels_scalar;
#elif defined(__aarch64__)
        case SimdLevel::kNeon:
            return half_kernels_neon;
#endif
        default:
            return half_kernels_scalar;
    }
}

const BitKernels&
bit_kernels_of(SimdLevel level) {
    switch (level == SimdLevel::kAuto ? best_simd_level() : level) {
#if defined(__x86_64__)
        case SimdLevel::kAvx512:
            return __builtin_cpu_supports("avx512vpopcntdq") ? bit_kernels_avx512
                                                             : bit_kernels_avx2;
        case SimdLevel::kAvx2:
            return bit_kernels_avx2;
#elif defined(__aarch64__)
        case SimdLevel::kNeon:
            return bit_kernels_neon;
#endif
        default:
            return bit_kernels_scalar;
    }
}

void
select_simd_level(SimdLevel level) {
    internal::selected_kernels = &kernels_of(level);
    internal::selected_half_kernels = &half_kernels_of(level);
    internal::selected_bit_kernels = &bit_kernels_of(level);
}

}  // namespace vext::core
