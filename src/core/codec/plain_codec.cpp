// L1: dimension i of a vector is near offset + factor * code[i].

#include <cmath>
#include <cstring>

#include "core/codec/models.h"
#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

constexpr double kMaxLevel = 255;

}  // namespace

PrepareStatus
PlainCodec::prepare(const float* vector, Prepared& prepared) const {
    std::memcpy(prepared.values, vector, space_.n_dims * sizeof(float));
    prepared.squared_norm = kernels().squared_norm(vector, space_.n_dims);
    prepared.error = 0;
    prepared.offset = 0;
    return l1_norm(vector, space_.n_dims) <= kMaxFloat ? PrepareStatus::kReady
                                                       : PrepareStatus::kOverflow;
}

void
PlainCodec::encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                   std::uint8_t* /*residual*/) const {
    const float* values = prepared.values;
    float low = values[0];
    float high = values[0];
    for (std::size_t i = 1; i < space_.n_dims; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    // The finite L1 norm bounds high - low. A range too small for a step has the code 0 throughout.
    const float range_step = (high - low) / static_cast<float>(kMaxLevel);
    const double inverse_step = range_step > 0 ? 1 / static_cast<double>(range_step) : 0;
    header = {.factor = range_step > 0 ? range_step : 1, .offset = low, .error = 0};
    double error = 0;
    for (std::size_t i = 0; i < space_.n_dims; i++) {
        double level = std::floor((static_cast<double>(values[i]) - low) * inverse_step + 0.5);
        level = level < kMaxLevel ? level : kMaxLevel;
        code[i] = static_cast<std::uint8_t>(level);
        error += std::fabs(values[i] - (low + static_cast<double>(header.factor) * level));
    }
    // The kernel computes offset + factor * level in float32.
    const double reach = std::fabs(low) + kMaxLevel * range_step;
    header.error = round_up(error + 3 * kRounding * reach * static_cast<double>(space_.n_dims));
}

void
PlainCodec::prepare_query(const Prepared& prepared, Query& query) const {
    std::memcpy(query.values, prepared.values, space_.n_dims * sizeof(float));
}

void
PlainCodec::query_from_code(const CodeHeader& header, const std::uint8_t* code,
                            Query& query) const {
    decode(header, code, nullptr, query.values);
}

float
PlainCodec::distance(const Query& query, const CodeHeader& header, const std::uint8_t* code) const {
    return finite_or_infinity(
        kernels().l1_code8(code, header.offset, header.factor, query.values, space_.n_dims));
}

float
PlainCodec::estimate_error(const Query& /*query*/, const CodeHeader& header) const {
    return header.error;
}

Refined
PlainCodec::refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* /*residual*/) const {
    const float distance = this->distance(query, header, code);
    if (!(distance < kInfinity))
        return {.distance = distance, .lower_bound = 0};
    // Sums of magnitudes: this one's and the executor's rounding are relative.
    const double bound = distance * (1 - 2 * space_.sum_error) - header.error - kUnderflow;
    const bool is_bound = bound > 0 && bound <= distance;  // else the error is damaged
    return {.distance = distance, .lower_bound = is_bound ? round_down(bound) : 0};
}

void
PlainCodec::decode(const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* /*residual*/, float* values) const {
    for (std::size_t i = 0; i < space_.n_dims; i++)
        values[i] = header.offset + header.factor * static_cast<float>(code[i]);
}

}  // namespace vext::core
