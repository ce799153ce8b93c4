// The vector itself. Distances come from the kernels that the SQL functions use, in the same order,
// so bounds need room only for another CPU level's rounding.

#include <cmath>
#include <cstring>

#include "core/codec/models.h"
#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

const float*
to_floats(const std::uint8_t* code) {
    return reinterpret_cast<const float*>(code);
}

/// In the units of core/metric.h: twice the cosine distance.
float
cosine_distance(const float* a, const float* b, std::size_t n) {
    const CosineParts parts = kernels().cosine_parts(a, b, n);
    const double similarity = parts.dot / std::sqrt(static_cast<double>(parts.squared_norm_a) *
                                                    static_cast<double>(parts.squared_norm_b));
    if (similarity > 1)
        return 0;
    return static_cast<float>(2 * (1 - (similarity < -1 ? -1 : similarity)));
}

}  // namespace

PrepareStatus
ExactCodec::prepare(const float* vector, Prepared& prepared) const {
    std::memcpy(prepared.values, vector, space_.n_dims * sizeof(float));
    prepared.error = 0;
    if (space_.metric == Metric::kL1) {
        prepared.squared_norm = 0;
        prepared.offset = 0;
        const bool is_in_range = l1_norm(vector, space_.n_dims) <= kMaxFloat;
        return is_in_range ? PrepareStatus::kReady : PrepareStatus::kOverflow;
    }
    prepared.squared_norm = kernels().squared_norm(vector, space_.n_dims);
    prepared.offset = prepared.squared_norm;
    if (space_.metric == Metric::kCosine && prepared.squared_norm == 0)
        return PrepareStatus::kZeroVector;
    return prepared.squared_norm <= kMaxFloat ? PrepareStatus::kReady : PrepareStatus::kOverflow;
}

void
ExactCodec::encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                   std::uint8_t* /*residual*/) const {
    header = {.factor = 1, .offset = static_cast<float>(prepared.squared_norm), .error = 0};
    std::memcpy(code, prepared.values, code_bytes());
}

void
ExactCodec::prepare_query(const Prepared& prepared, Query& query) const {
    std::memcpy(query.values, prepared.values, space_.n_dims * sizeof(float));
    query.squared_norm = prepared.squared_norm;
    query.norm = std::sqrt(prepared.squared_norm);
}

void
ExactCodec::query_from_code(const CodeHeader& header, const std::uint8_t* code,
                            Query& query) const {
    std::memcpy(query.values, code, code_bytes());
    query.squared_norm = header.offset;
    query.norm = std::sqrt(query.squared_norm);
}

float
ExactCodec::distance(const Query& query, const CodeHeader& /*header*/,
                     const std::uint8_t* code) const {
    const float* vector = to_floats(code);
    switch (space_.metric) {
        case Metric::kCosine:
            return finite_or_infinity(cosine_distance(vector, query.values, space_.n_dims));
        case Metric::kInnerProduct:
            return finite_or_infinity(
                -kernels().inner_product(vector, query.values, space_.n_dims));
        case Metric::kL1:
            return finite_or_infinity(kernels().l1(vector, query.values, space_.n_dims));
        case Metric::kL2:
        case Metric::kHamming:
        case Metric::kJaccard:
            break;
    }
    return finite_or_infinity(kernels().l2_squared(vector, query.values, space_.n_dims));
}

float
ExactCodec::estimate_error(const Query& /*query*/, const CodeHeader& /*header*/) const {
    return 0;
}

Refined
ExactCodec::refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* /*residual*/) const {
    const float distance = this->distance(query, header, code);
    const double rounding = space_.sum_error;
    double bound = distance;
    switch (space_.metric) {
        case Metric::kCosine:
            if (header.offset < kMinSquaredNormOfCosine ||
                query.squared_norm < kMinSquaredNormOfCosine)
                return {.distance = distance, .lower_bound = 0};
            bound -= 8 * rounding;  // three sums on either side, in units of half a square
            break;
        case Metric::kInnerProduct: {
            const double norm = std::sqrt(static_cast<double>(header.offset)) + kUnderflow;
            const double reach = norm * query.norm;
            if (!(reach < kMaxFloat / 2 && distance < kInfinity))
                return {.distance = distance, .lower_bound = -kInfinity};
            bound -= 2 * rounding * reach + kUnderflow * kUnderflow;
            return {.distance = distance, .lower_bound = round_down(bound)};
        }
        case Metric::kL1:
            bound -= 2 * rounding * bound + kUnderflow;
            break;
        case Metric::kL2:
        case Metric::kHamming:
        case Metric::kJaccard:
            bound -= 4 * rounding * bound + kUnderflow * kUnderflow;
            break;
    }
    const bool is_bound = distance < kInfinity && bound > 0;
    return {.distance = distance, .lower_bound = is_bound ? round_down(bound) : 0};
}

void
ExactCodec::decode(const CodeHeader& /*header*/, const std::uint8_t* code,
                   const std::uint8_t* /*residual*/, float* values) const {
    std::memcpy(values, code, code_bytes());
}

}  // namespace vext::core
