// What the codecs share: the parts of a code, of a vector about to be coded, and of a query.

#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/codec/rotation.h"
#include "core/codec/sparse_lookup.h"
#include "core/metric.h"

namespace vext::core {

/// The numbers are part of the on-disk format.
enum class CodecKind : std::uint8_t {
    kExact = 0,
    kScalar8 = 1,
    kScalar4 = 2,
    kPlain8 = 3,
    kBits = 4,
    kSparse = 5
};

/// No code of `sparse` has room for more entries: that many take more than a page.
inline constexpr std::size_t kMostEntriesOfCode = 2048;

/// Whether a code keeps all of a vector, so that distances from it are the vector's.
constexpr bool
is_exact(CodecKind kind) {
    return kind == CodecKind::kExact || kind == CodecKind::kBits;
}

/// Whether vectors are measured from a centroid and rotated before they become codes.
constexpr bool
is_rotated(CodecKind kind) {
    return kind == CodecKind::kScalar8 || kind == CodecKind::kScalar4;
}

/// Whether codes of this kind give distances of this metric.
constexpr bool
serves(CodecKind kind, Metric metric) {
    if (kind == CodecKind::kBits || is_of_bits(metric))
        return kind == CodecKind::kBits && is_of_bits(metric);
    if (is_exact(kind) || kind == CodecKind::kSparse)
        return true;
    return (kind == CodecKind::kPlain8) == (metric == Metric::kL1);
}

/// Whether an index of this codec has a centroid, although perhaps only for others to look at.
constexpr bool
has_centroid(CodecKind kind) {
    return kind != CodecKind::kBits && kind != CodecKind::kSparse;
}

/// Squared norm of the farthest centroid. Rows are judged before there is one: no vector may get
/// too long for the index because it is measured from a point on the other side.
inline constexpr double kMostCentroidNorm = 1e30;

/// The float32 that a value of this length comes to a codec in; not of `sparse`, whose values are
/// of any length (pack_sparse in core/sparse.h). Those of a bit string are no numbers: their bytes
/// are its bytes, then zeros.
constexpr std::size_t
n_values(CodecKind kind, std::size_t n_dims) {
    return kind == CodecKind::kBits ? (n_dims + 31) / 32 : n_dims;
}

/// The floats kept beside the code in the hot record. `error` is stored only where
/// `Codec::has_inline_error()`; elsewhere it is neither read nor needed.
///
///            | factor                          | offset                              | error
///   exact    | 1                               | |v|^2; L1: 0                        | 0
///   scalar8  | f = |x|^2 / <x, u>              | |x|^2; inner product: -<v, c>       | L2 norm
///   scalar4  | f = |x|^2 / <x, u>              | |x|^2; inner product: -<v, c>       | 0
///   plain8   | step of a level, 1 when all     | value of level 0                    | L1 norm
///            | dimensions are equal            |                                     |
///   bits     | 1                               | 0                                   | 0
///   sparse   | f = |v|^2 / |kept|^2, or 1;     | |v|^2; L1: |v|                      | L2 norm,
///            | L1: 1                           |                                     | L1: L1 norm
/// v is the vector (normalised for cosine), `kept` what a sparse code has room for, c the centroid,
/// x = rotated(v - c), u the centred levels. Only a scalar code of v = c has the factor 0: its
/// distances are right too, but a reader without a lock can take the 0 as a sign of a slot being
/// cleared. `error` bounds the norm of what code and rounding leave out.
struct CodeHeader {
    float factor;
    float offset;
    float error;
};

/// A code, wherever it lies.
struct CodeRef {
    CodeHeader header;
    const std::uint8_t* code;
};

/// The first bytes of a residual (a cold record's payload), before one byte per padded dimension.
/// Dimension i of x is near factor * u[i] + step * (byte[i] - 127.5).
struct ResidualHeader {
    float step;
    float error;        ///< bounds |x - decoded|, rounding included
    float norm_change;  ///< |decoded|^2 - |x|^2
};
static_assert(sizeof(ResidualHeader) == 12 && std::is_trivially_copyable_v<ResidualHeader>);

enum class PrepareStatus : std::uint8_t {
    kReady,
    kZeroVector,  ///< cosine of a zero vector: has no direction, must not be encoded or searched
    kOverflow,    ///< the norm overflows float32: must not be encoded; as a query it gives infinite
                  ///< distances and trivial bounds
};

/// A vector in the form a codec works on: scalar codecs normalise (cosine), centre and rotate it.
struct Prepared {
    float* values = nullptr;        ///< n_padded floats (of `bits`: see n_values)
    double squared_norm = 0;        ///< of `values`; by L1 and `sparse` their L1 norm
    double error = 0;               ///< bounds the L2 norm of what rounding did to `values`
    double offset = 0;              ///< the scalar codecs' CodeHeader::offset
    const float* source = nullptr;  ///< of `sparse`: the vector that was prepared, ...
    double scale = 1;               ///< ... and what its values are multiplied by
};

/// A query, or a code in the place of one. Memory comes from `Codec::allocate_query`; it can be
/// filled again and again.
struct Query {
    float* values = nullptr;        ///< n_padded floats; not filled from a scalar code
    std::int8_t* levels = nullptr;  ///< n_padded integers near values / scale (scalar codecs)
    std::int32_t level_sum = 0;
    float weight = 0;        ///< takes (factor * integer product) into the distance
    float constant = 0;      ///< the part of the distance that depends on the query alone
    float error_factor = 0;  ///< factor * this is 3 standard errors of an estimated distance
    double offset = 0;       ///< `constant` unrounded
    double squared_norm = 0;
    double norm = 0;
    double value_sum = 0;
    double error = 0;                ///< as in Prepared; of a sparse code what it has left out
    SparseLookup* lookup = nullptr;  ///< of `sparse`: the entries; `weight` is a code's factor
    double scale = 1;                ///< of `sparse`: what the entries are multiplied by
};

/// A distance from everything known of a vector, in internal units (core/metric.h).
struct Refined {
    float distance;
    float lower_bound;  ///< never above the exact distance, be it computed in float32 or better
};

/// What a codec works in: everything its vectors have in common.
struct CodecSpace {
    std::size_t n_dims;
    std::size_t n_padded;
    Metric metric;
    const float* centroid;  ///< n_dims floats
    const Rotation* rotation;
    double squared_norm_centroid;
    double norm_centroid;
    double sum_error;       ///< bounds the relative rounding error of a float kernel's sum
    std::size_t n_entries;  ///< that a code of `sparse` has room for
};

static_assert(std::is_trivially_destructible_v<Prepared> &&
              std::is_trivially_destructible_v<Query> &&
              std::is_trivially_destructible_v<CodecSpace>);

}  // namespace vext::core
