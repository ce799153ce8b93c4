// Hamming and Jaccard distance: the code is the bit string.

#include <cstring>

#include "core/codec/models.h"
#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

const std::uint8_t*
to_bytes(const float* values) {
    return reinterpret_cast<const std::uint8_t*>(values);
}

/// Of two strings without a set bit it is `of_none`.
float
jaccard_distance(const BitParts& parts, float of_none) {
    if (parts.either == 0)
        return of_none;
    return static_cast<float>(1 - static_cast<double>(parts.common) /
                                      static_cast<double>(parts.either));
}

}  // namespace

PrepareStatus
BitsCodec::prepare(const float* vector, Prepared& prepared) const {
    std::memcpy(prepared.values, vector, space_.n_padded * sizeof(float));
    return PrepareStatus::kReady;
}

void
BitsCodec::encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                  std::uint8_t* /*residual*/) const {
    header = {.factor = 1, .offset = 0, .error = 0};
    std::memcpy(code, prepared.values, code_bytes());
}

void
BitsCodec::prepare_query(const Prepared& prepared, Query& query) const {
    std::memcpy(query.values, prepared.values, space_.n_padded * sizeof(float));
}

void
BitsCodec::query_from_code(const CodeHeader& header, const std::uint8_t* code, Query& query) const {
    decode(header, code, nullptr, query.values);
}

float
BitsCodec::distance(const Query& query, const CodeHeader& /*header*/,
                    const std::uint8_t* code) const {
    const std::uint8_t* other = to_bytes(query.values);
    if (space_.metric == Metric::kHamming)
        return static_cast<float>(bit_kernels().hamming(code, other, code_bytes()));
    return jaccard_distance(bit_kernels().jaccard_parts(code, other, code_bytes()), 0);
}

float
BitsCodec::estimate_error(const Query& /*query*/, const CodeHeader& /*header*/) const {
    return 0;
}

Refined
BitsCodec::refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                  const std::uint8_t* /*residual*/) const {
    if (space_.metric == Metric::kHamming) {
        const float distance = this->distance(query, header, code);
        return {.distance = distance, .lower_bound = distance};
    }
    const float distance = jaccard_distance(
        bit_kernels().jaccard_parts(code, to_bytes(query.values), code_bytes()), 1);
    return {.distance = distance, .lower_bound = distance > 0 ? round_down(distance) : 0};
}

void
BitsCodec::decode(const CodeHeader& /*header*/, const std::uint8_t* code,
                  const std::uint8_t* /*residual*/, float* values) const {
    values[space_.n_padded - 1] = 0;
    std::memcpy(values, code, code_bytes());
}

}  // namespace vext::core
