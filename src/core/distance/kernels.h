// The table of distance kernels: one per CPU level, filled by kernels_<arch>.cpp, chosen by
// dispatch.cpp. Free of other includes of ours, so that a file built with special CPU flags shares
// no inline code with the rest of the module.

#pragma once

#include <cstddef>
#include <cstdint>

namespace vext::core {

/// The three sums a cosine distance needs.
struct CosineParts {
    float dot;
    float squared_norm_a;
    float squared_norm_b;
};

/// All lengths `n` are numbers of dimensions, any value from 0 up; no alignment is required and
/// nothing is read beyond the named lengths. Sums of float kernels are float32 in several lanes, so
/// the last bits depend on the level; overflow gives infinity.
struct Kernels {
    const char* name;  ///< as in the setting `vector_ext.simd`

    // float32 against float32
    float (*l2_squared)(const float* a, const float* b, std::size_t n);
    float (*inner_product)(const float* a, const float* b, std::size_t n);
    float (*l1)(const float* a, const float* b, std::size_t n);
    CosineParts (*cosine_parts)(const float* a, const float* b, std::size_t n);
    double (*squared_norm)(const float* a, std::size_t n);  ///< summed in float64

    // Codes. `code4` holds two levels a byte: byte j has dimension j in its low and dimension
    // j + n / 2 in its high half (n even, n / 2 bytes); `code8` one level a byte. Levels are
    // unsigned.
    std::int32_t (*dot_code4)(const std::uint8_t* code4, const std::int8_t* query, std::size_t n);
    std::int32_t (*dot_code8)(const std::uint8_t* code8, const std::int8_t* query, std::size_t n);
    float (*dot_code4_float)(const std::uint8_t* code4, const float* query, std::size_t n);
    float (*dot_code8_float)(const std::uint8_t* code8, const float* query, std::size_t n);
    /// sum of |low + step * code8[i] - query[i]|
    float (*l1_code8)(const std::uint8_t* code8, float low, float step, const float* query,
                      std::size_t n);

    /// Unnormalised in-place fast Walsh-Hadamard transform; n a power of two >= 1.
    void (*hadamard)(float* x, std::size_t n);
};

/// Each is defined by the file of its name, on the CPU architecture that has the level.
extern const Kernels kernels_scalar;
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
extern const Kernels kernels_neon;

}  // namespace vext::core
