// The six models of a codec. Only codec.cpp knows them by name; what the operations mean stands in
// codec.h.
//
// Every number a bound is made of is computed in double or rounded away from the exact distance.
// Executors compute distances in float32 with sums of their own, so a bound must also leave out
// what their rounding can take away: CodecSpace::sum_error for sums, kUnderflow for squares and
// products too small for a float32.

#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/codec/code.h"

namespace vext::core {

template <typename Model>
concept CodecModel = requires(const Model& model, const CodecSpace& space, const float* vector,
                              float* values, Prepared& prepared, CodeHeader& header,
                              std::uint8_t* bytes, Query& query) {
    { Model::kHasInlineError } -> std::convertible_to<bool>;
    Model(space);
    { model.code_bytes() } -> std::same_as<std::size_t>;
    { model.residual_bytes() } -> std::same_as<std::size_t>;
    { model.prepare(vector, prepared) } -> std::same_as<PrepareStatus>;
    model.encode(prepared, header, bytes, bytes);
    model.prepare_query(prepared, query);
    model.query_from_code(header, bytes, query);
    { model.distance(query, header, bytes) } -> std::same_as<float>;
    { model.estimate_error(query, header) } -> std::same_as<float>;
    { model.refine(query, header, bytes, bytes) } -> std::same_as<Refined>;
    model.decode(header, bytes, bytes, values);
};

/// Half the distance between 1 and the next float32: the relative error of one rounding.
inline constexpr double kRounding = 0x1p-24;

/// Above the norm of what underflow can lose, even with denormal numbers flushed to zero: the root
/// of 10,000 times the smallest normal float32.
inline constexpr double kUnderflow = 2e-17;

/// The cosine distance of a shorter vector may have lost bits to underflow in an executor's float32
/// sums, so that no bound but the trivial one holds.
inline constexpr double kMinSquaredNormOfCosine = 1e-30;
inline constexpr double kTrivialError = 2;  // no two unit vectors are further apart

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr double kMaxFloat = std::numeric_limits<float>::max();

/// The sum of magnitudes.
inline double
l1_norm(const float* vector, std::size_t n_dims) {
    double norm = 0;
    for (std::size_t i = 0; i < n_dims; ++i)
        norm += std::fabs(vector[i]);
    return norm;
}

/// The conversion to float32, with infinity for what it cannot hold.
inline float
narrow(double x) {
    if (x > kMaxFloat)
        return kInfinity;
    return x < -kMaxFloat ? -kInfinity : static_cast<float>(x);
}

/// A float32 not below `x`, a few units in the last place above it at most.
inline float
round_up(double x) {
    return narrow(x + std::fabs(x) * 2 * kRounding + std::numeric_limits<float>::denorm_min());
}

/// A float32 not above `x`; the largest finite one where `x` lies beyond.
inline float
round_down(double x) {
    const double below =
        x - std::fabs(x) * 2 * kRounding - std::numeric_limits<float>::denorm_min();
    return narrow(below < kMaxFloat ? below : kMaxFloat);
}

inline float
finite_or_infinity(float distance) {
    return distance - distance == 0 ? distance : kInfinity;
}

/// Up to 32 dimensions: the vector itself, with the executor's own kernels. Requires: codes are
/// aligned as float.
class ExactCodec {
   public:
    static constexpr bool kHasInlineError = false;

    explicit ExactCodec(const CodecSpace& space) : space_(space) {}

    std::size_t
    code_bytes() const {
        return space_.n_dims * sizeof(float);
    }
    std::size_t
    residual_bytes() const {
        return 0;
    }
    PrepareStatus prepare(const float* vector, Prepared& prepared) const;
    void encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                std::uint8_t* residual) const;
    void prepare_query(const Prepared& prepared, Query& query) const;
    void query_from_code(const CodeHeader& header, const std::uint8_t* code, Query& query) const;
    float distance(const Query& query, const CodeHeader& header, const std::uint8_t* code) const;
    float estimate_error(const Query& query, const CodeHeader& header) const;
    Refined refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* residual) const;
    void decode(const CodeHeader& header, const std::uint8_t* code, const std::uint8_t* residual,
                float* values) const;

   private:
    const CodecSpace& space_;
};

/// Centred and rotated, kBits (4 or 8) a dimension; with 4 bits there is a residual.
template <int kBits>
class ScalarCodec {
   public:
    static constexpr bool kHasResidual = kBits == 4;
    static constexpr bool kHasInlineError = !kHasResidual;
    static constexpr int kMaxLevel = (1 << kBits) - 1;

    explicit ScalarCodec(const CodecSpace& space) : space_(space) {}

    std::size_t
    code_bytes() const {
        return space_.n_padded * kBits / 8;
    }
    std::size_t
    residual_bytes() const {
        return kHasResidual ? sizeof(ResidualHeader) + space_.n_padded : 0;
    }
    PrepareStatus prepare(const float* vector, Prepared& prepared) const;
    void encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                std::uint8_t* residual) const;
    void prepare_query(const Prepared& prepared, Query& query) const;
    void query_from_code(const CodeHeader& header, const std::uint8_t* code, Query& query) const;
    float distance(const Query& query, const CodeHeader& header, const std::uint8_t* code) const;
    float estimate_error(const Query& query, const CodeHeader& header) const;
    Refined refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* residual) const;
    void decode(const CodeHeader& header, const std::uint8_t* code, const std::uint8_t* residual,
                float* values) const;

   private:
    bool
    is_inner_product() const {
        return space_.metric == Metric::kInnerProduct;
    }
    bool
    is_trivial(double error) const {
        return space_.metric == Metric::kCosine && error >= kTrivialError;
    }
    /// The factor of <x, q> in the distance, without its sign.
    double
    product_weight() const {
        return is_inner_product() ? 1 : 2;
    }
    void set_scale(Query& query, double scale, double level_noise) const;
    Refined bound_square(const Query& query, double squared, double slack, double error) const;
    Refined bound_product(const Query& query, double distance, double slack, double norm) const;

    const CodecSpace& space_;
};

/// L1: 8 bits a dimension over the range of the vector, in place of rotation, which would change
/// the metric.
class PlainCodec {
   public:
    static constexpr bool kHasInlineError = true;

    explicit PlainCodec(const CodecSpace& space) : space_(space) {}

    std::size_t
    code_bytes() const {
        return space_.n_dims;
    }
    std::size_t
    residual_bytes() const {
        return 0;
    }
    PrepareStatus prepare(const float* vector, Prepared& prepared) const;
    void encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                std::uint8_t* residual) const;
    void prepare_query(const Prepared& prepared, Query& query) const;
    void query_from_code(const CodeHeader& header, const std::uint8_t* code, Query& query) const;
    float distance(const Query& query, const CodeHeader& header, const std::uint8_t* code) const;
    float estimate_error(const Query& query, const CodeHeader& header) const;
    Refined refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* residual) const;
    void decode(const CodeHeader& header, const std::uint8_t* code, const std::uint8_t* residual,
                float* values) const;

   private:
    const CodecSpace& space_;
};

/// The entries of a sparse vector, with the sum of their squares (L1: magnitudes) before them.
/// Where there are more than a code has room for, the smallest are left out. Requires: codes are
/// aligned as float.
class SparseCodec {
   public:
    static constexpr bool kHasInlineError = true;
    static constexpr std::size_t kFoldedDims = 8;  ///< that decode() writes

    explicit SparseCodec(const CodecSpace& space) : space_(space) {}

    /// Of a code for so many entries.
    static std::size_t code_bytes_for(std::size_t n_dims, std::size_t n_entries);

    std::size_t
    code_bytes() const {
        return code_bytes_for(space_.n_dims, space_.n_entries);
    }
    std::size_t
    residual_bytes() const {
        return 0;
    }
    PrepareStatus prepare(const float* vector, Prepared& prepared) const;
    void encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                std::uint8_t* residual) const;
    void prepare_query(const Prepared& prepared, Query& query) const;
    void query_from_code(const CodeHeader& header, const std::uint8_t* code, Query& query) const;
    float distance(const Query& query, const CodeHeader& header, const std::uint8_t* code) const;
    float estimate_error(const Query& query, const CodeHeader& header) const;
    Refined refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* residual) const;
    void decode(const CodeHeader& header, const std::uint8_t* code, const std::uint8_t* residual,
                float* values) const;
    const char* check(const CodeHeader& header, const std::uint8_t* code) const;

   private:
    bool
    is_l1() const {
        return space_.metric == Metric::kL1;
    }
    Refined bound(const Query& query, const CodeHeader& header, const struct SparseSums& sums,
                  double norm) const;

    const CodecSpace& space_;
};

/// The bit string itself, with the executor's own kernels. To search and build, all strings without
/// a set bit are at one place by Jaccard distance, so that they become one node; refined, they are
/// 1 apart, as the operator has it.
class BitsCodec {
   public:
    static constexpr bool kHasInlineError = false;

    explicit BitsCodec(const CodecSpace& space) : space_(space) {}

    std::size_t
    code_bytes() const {
        return (space_.n_dims + 7) / 8;
    }
    std::size_t
    residual_bytes() const {
        return 0;
    }
    PrepareStatus prepare(const float* vector, Prepared& prepared) const;
    void encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                std::uint8_t* residual) const;
    void prepare_query(const Prepared& prepared, Query& query) const;
    void query_from_code(const CodeHeader& header, const std::uint8_t* code, Query& query) const;
    float distance(const Query& query, const CodeHeader& header, const std::uint8_t* code) const;
    float estimate_error(const Query& query, const CodeHeader& header) const;
    Refined refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* residual) const;
    void decode(const CodeHeader& header, const std::uint8_t* code, const std::uint8_t* residual,
                float* values) const;

   private:
    const CodecSpace& space_;
};

}  // namespace vext::core
