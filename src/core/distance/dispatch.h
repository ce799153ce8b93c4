// Chooses the kernels for this CPU, once, and holds the choice.

#pragma once

#include <cstdint>

#include "core/distance/kernels.h"

namespace vext::core {

enum class SimdLevel : std::int8_t { kAuto, kScalar, kAvx2, kAvx512, kNeon };

/// The level that `kAuto` stands for on this machine: AVX-512 (with VNNI), AVX2 (with FMA), NEON or
/// scalar.
SimdLevel best_simd_level();

/// Whether this machine and build can run `level`.
bool is_supported(SimdLevel level);

/// The table of a level. Requires: is_supported(level); kAuto gives the best one.
const Kernels& kernels_of(SimdLevel level);

/// The same for halves: the scalar one where the CPU has the level, but no instructions for them.
const HalfKernels& half_kernels_of(SimdLevel level);

/// The same for bits: the best table that this machine can run and that is not above the level.
const BitKernels& bit_kernels_of(SimdLevel level);

/// Makes `level` the one that `kernels()`, `half_kernels()` and `bit_kernels()` return. Requires:
/// is_supported(level).
void select_simd_level(SimdLevel level);

namespace internal {
extern const Kernels* selected_kernels;  // constant-initialised to the scalar tables
extern const HalfKernels* selected_half_kernels;
extern const BitKernels* selected_bit_kernels;
}  // namespace internal

/// The selected table; the scalar one until `select_simd_level` was called.
inline const Kernels&
kernels() {
    return *internal::selected_kernels;
}

inline const HalfKernels&
half_kernels() {
    return *internal::selected_half_kernels;
}

inline const BitKernels&
bit_kernels() {
    return *internal::selected_bit_kernels;
}

}  // namespace vext::core
