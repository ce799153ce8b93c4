// The tables of distance kernels: one per CPU level, filled by kernels_<arch>.cpp, chosen by
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

/// Pairs of codes are multiplied in tiles of so many rows and columns.
inline constexpr std::size_t kTileRows = 8;
inline constexpr std::size_t kTileColumns = 32;

inline constexpr std::size_t kKeyLanes = 16;

/// What takes the products of a tile to distances, one element a row or column.
struct TileSide {
    const float* factors;
    const float* offsets;
    const std::int32_t* biases;
    const float* limits;  ///< the largest distances of interest
};

/// The distances of a tile, row by row, and the pairs within a limit: bit c of element r.
struct TilePicks {
    float distances[kTileRows * kTileColumns];
    std::uint32_t near_rows[kTileRows];     ///< those within the limit of row r
    std::uint32_t near_columns[kTileRows];  ///< those within the limit of column c
};

/// The entries of a sparse vector.
struct SpreadEntries {
    const float* values;
    const std::int32_t* indices;
    std::size_t n;
};

/// A sparse vector written out: `n` numbers, at least one, most of them zero. At an index beyond,
/// and a negative one, is a zero, and nothing is read.
struct SpreadTable {
    const float* numbers;
    std::uint32_t n;
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

    // Tiles: n a multiple of 4; rows of n levels one after the other; columns interleaved by four
    // dimensions, dimension i of column c at (i / 4 * kTileColumns + c) * 4 + i % 4; products row
    // by row. Level sums must fit 32 bits: n <= 30,000.
    /// Levels of 4 bits in a byte each: 0..15 in rows, -8..7 in columns.
    void (*tile_products4)(const std::uint8_t* rows, const std::int8_t* columns, std::size_t n,
                           std::int32_t* products);
    /// Levels of 8 bits: 0..255 in rows, -128..127 in columns.
    void (*tile_products8)(const std::uint8_t* rows, const std::int8_t* columns, std::size_t n,
                           std::int32_t* products);
    /// Makes a product p of row r and column c the distance
    ///   offsets_r + offsets_c + weight factors_r factors_c (2 p + biases_r + biases_c).
    /// Returns whether any is within a limit. What is not a number is within none.
    bool (*tile_distances)(const std::int32_t* products, const TileSide& rows,
                           const TileSide& columns, float weight, TilePicks& picks);

    /// Writes the keys in ascending order, in time quadratic in n: for some dozens. Equal keys are
    /// written once, to the first of the places that they take up; the others are left as they
    /// were. Requires: n a multiple of kKeyLanes.
    void (*sort_keys)(const std::int64_t* keys, std::size_t n, std::int64_t* sorted);

    // Over the entries x of a sparse vector, y being the number of the table there; in float64.
    /// sum of x (x - 2 y)
    double (*spread_squares)(const SpreadEntries& entries, const SpreadTable& table);
    /// sum of |x - y| - |y|
    double (*spread_magnitudes)(const SpreadEntries& entries, const SpreadTable& table);
    /// sum of x y
    double (*spread_products)(const SpreadEntries& entries, const SpreadTable& table);
};

/// Numbers of half precision (core/half.h), as their bits; sums as those of float32. A table of its
/// own, since a CPU may have the level of one for float32 and not for halves.
struct HalfKernels {
    const char* name;
    float (*l2_squared)(const std::uint16_t* a, const std::uint16_t* b, std::size_t n);
    float (*inner_product)(const std::uint16_t* a, const std::uint16_t* b, std::size_t n);
    float (*l1)(const std::uint16_t* a, const std::uint16_t* b, std::size_t n);
    CosineParts (*cosine_parts)(const std::uint16_t* a, const std::uint16_t* b, std::size_t n);
    double (*squared_norm)(const std::uint16_t* a, std::size_t n);  ///< summed in float64
    void (*widen)(const std::uint16_t* halves, std::size_t n, float* out);
    /// To the nearest, of two to the even one; infinite from 65520 on.
    void (*narrow)(const float* x, std::size_t n, std::uint16_t* out);
};

/// The bits set in both of two strings, and in at least one.
struct BitParts {
    std::uint64_t common;
    std::uint64_t either;
};

/// Strings of n_bytes bytes, any number from 0 up, without alignment. A table of its own, since a
/// CPU may have the level of one for floats and not for bits.
struct BitKernels {
    const char* name;
    /// the bits that differ
    std::uint64_t (*hamming)(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes);
    BitParts (*jaccard_parts)(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes);
    /// The bits set in both a row and a column of a tile, row by row: rows of n_words words one
    /// after the other, columns interleaved, word i of column c at i * kTileColumns + c. Counts
    /// must fit 32 bits.
    void (*tile_common)(const std::uint64_t* rows, const std::uint64_t* columns,
                        std::size_t n_words, std::int32_t* counts);
};

/// Each is defined by the file of its name, on the CPU architecture that has the level.
extern const Kernels kernels_scalar;
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
extern const Kernels kernels_neon;

extern const HalfKernels half_kernels_scalar;
extern const HalfKernels half_kernels_avx2;
extern const HalfKernels half_kernels_avx512;
extern const HalfKernels half_kernels_neon;

/// Those of AVX-512 are defined by kernels_avx512_popcount.cpp.
extern const BitKernels bit_kernels_scalar;
extern const BitKernels bit_kernels_avx2;
extern const BitKernels bit_kernels_avx512;
extern const BitKernels bit_kernels_neon;

}  // namespace vext::core
