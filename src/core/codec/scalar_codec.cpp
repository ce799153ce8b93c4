// Centred, rotated levels of 8 or 4 bits, the latter with a residual.
//
// With f = |x|^2 / <x, u>, x - f u is orthogonal to x, so that |f u|^2 = |x|^2 + |x - f u|^2: 8
// bits need no other number for the norm of what they decode to than their error.

#include <cmath>
#include <cstring>
#include <limits>

#include "core/codec/levels.h"
#include "core/codec/models.h"
#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

/// Below this a squared norm has lost bits to underflow: such a vector counts as its centroid.
constexpr double kMinSquaredNorm = std::numeric_limits<float>::min();

/// Roundings of a coordinate in centring and in computing what a code leaves out.
constexpr double kOwnRoundings = 12;

template <int kBits>
struct Noise;

// Of a coordinate, in units of the factor: deviation of x - f u, and of f u itself, for normally
// distributed coordinates (8 bits: in the middle of the dimensions that use them).
template <>
struct Noise<4> {
    static constexpr double kCode = 0.32;
    static constexpr double kLevel = 3.0;
    static constexpr double kCodeAsQuery = 2 * kCode;  // levels are twice as fine there
};
template <>
struct Noise<8> {
    static constexpr double kCode = 0.29;
    static constexpr double kLevel = 48;
    static constexpr double kCodeAsQuery = 0.58;  // and half a level, see write_signed_levels
};
constexpr double kRoundedNoise = 0.29;  // deviation of what rounding to an integer does

/// What a query's scale is multiplied by: a query whose levels have the product `found` with its
/// own values has the product `wanted` with them then. So the error of its levels is orthogonal to
/// it, and small for all that is near to it, however far both are from the centroid.
double
correction(double wanted, double found) {
    return found > 0.5 * wanted && found < 2 * wanted ? wanted / found : 1;
}

/// <x, u>. In double but for a few terms at a time, as all sums here.
template <int kBits>
double
dot_with_levels(const float* x, const std::uint8_t* code, std::size_t n) {
    double dot = 0;
    for_each_levels<kBits>(code, n, [&](std::size_t i, Ints levels) {
        dot += sum_of(load(x + i) * centre<kBits>(levels));
    });
    return dot;
}

/// |x - factor u|^2
template <int kBits>
double
squared_error_of_levels(const float* x, float factor, const std::uint8_t* code, std::size_t n) {
    double squared = 0;
    for_each_levels<kBits>(code, n, [&](std::size_t i, Ints levels) {
        const Floats rest = load(x + i) - factor * centre<kBits>(levels);
        squared += sum_of(rest * rest);
    });
    return squared;
}

/// Encodes what the levels leave of x.
void
encode_residual(const Prepared& prepared, float factor, const std::uint8_t* code, std::size_t n,
                std::uint8_t* residual) {
    const float* x = prepared.values;
    std::uint8_t* bytes = residual + sizeof(ResidualHeader);
    Floats largest = {};
    for_each_levels<4>(code, n, [&](std::size_t i, Ints levels) {
        largest = max(magnitude(load(x + i) - factor * centre<4>(levels)), largest);
    });
    const float range = largest_of(largest);
    const float step = range / kHalf<8>;
    const float inverse_step = range > std::numeric_limits<float>::min() ? kHalf<8> / range : 0;
    double squared_error = 0;
    double norm_change = 0;
    for_each_levels<4>(code, n, [&](std::size_t i, Ints levels) {
        const Floats rest = load(x + i) - factor * centre<4>(levels);
        const Ints rest_levels = levels_of<8>(rest, inverse_step);
        store_bytes(bytes + i, rest_levels);
        const Floats missed = rest - step * centre<8>(rest_levels);
        squared_error += sum_of(missed * missed);
        norm_change += sum_of(missed * (missed - 2 * load(x + i)));
    });
    const ResidualHeader header = {
        .step = step,
        .error = round_up(std::sqrt(squared_error) + prepared.error),
        .norm_change = static_cast<float>(norm_change),
    };
    std::memcpy(residual, &header, sizeof(header));
}

}  // namespace

template <int kBits>
PrepareStatus
ScalarCodec<kBits>::prepare(const float* vector, Prepared& prepared) const {
    float* values = prepared.values;
    prepared.error = kUnderflow;
    prepared.squared_norm = kInfinity;
    double scale = 1;
    if (space_.metric == Metric::kCosine) {
        const double squared_norm = kernels().squared_norm(vector, space_.n_dims);
        if (squared_norm == 0)
            return PrepareStatus::kZeroVector;
        if (!(squared_norm <= kMaxFloat))
            return PrepareStatus::kOverflow;
        scale = 1 / std::sqrt(squared_norm);
        prepared.error += 2 * kRounding;
        if (squared_norm < kMinSquaredNormOfCosine)
            prepared.error += kTrivialError;
    }
    for (std::size_t i = 0; i < space_.n_dims; i++)
        values[i] = static_cast<float>(vector[i] * scale) - space_.centroid[i];
    space_.rotation->apply(values, values);
    const double squared_norm = kernels().squared_norm(values, space_.n_padded);
    prepared.error +=
        (space_.rotation->relative_error() + kOwnRoundings * kRounding) * std::sqrt(squared_norm);
    prepared.offset = is_inner_product()
                          ? -kernels().inner_product(vector, space_.centroid, space_.n_dims)
                          : squared_norm;
    if (!(squared_norm <= kMaxFloat) || !(std::fabs(prepared.offset) <= kMaxFloat))
        return PrepareStatus::kOverflow;
    prepared.squared_norm = squared_norm;
    return PrepareStatus::kReady;
}

template <int kBits>
void
ScalarCodec<kBits>::encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                           std::uint8_t* residual) const {
    const float* x = prepared.values;
    const std::size_t n = space_.n_padded;
    header = {.factor = 0, .offset = static_cast<float>(prepared.offset), .error = 0};
    if (prepared.squared_norm < kMinSquaredNorm) {
        std::memset(code, 0, code_bytes());
    } else {
        const float inverse_step = kBits == 4 ? best_inverse_step(x, prepared.squared_norm, n)
                                              : inverse_step_of_range(x, n);
        write_levels<kBits>(x, inverse_step, n, code);
        const double dot = dot_with_levels<kBits>(x, code, n);
        header.factor = static_cast<float>(prepared.squared_norm / dot);
    }
    if constexpr (kHasResidual) {
        encode_residual(prepared, header.factor, code, n, residual);
    } else {
        const double squared_error = squared_error_of_levels<kBits>(x, header.factor, code, n);
        header.error = round_up(std::sqrt(squared_error) + prepared.error);
    }
}

/// Takes over a query whose levels times `scale` are its values, give or take `level_noise` levels.
/// Requires: norm, offset and level_sum are set.
template <int kBits>
void
ScalarCodec<kBits>::set_scale(Query& query, double scale, double level_noise) const {
    const double root_n = std::sqrt(static_cast<double>(space_.n_padded));
    const double code_noise = Noise<kBits>::kCode * query.norm;
    const double query_noise = Noise<kBits>::kLevel * root_n * level_noise * scale;
    query.weight = narrow(-0.5 * product_weight() * scale);
    query.constant = narrow(query.offset);
    query.error_factor = narrow(3 * product_weight() *
                                std::sqrt(code_noise * code_noise + query_noise * query_noise));
}

template <int kBits>
void
ScalarCodec<kBits>::prepare_query(const Prepared& prepared, Query& query) const {
    const std::size_t n = space_.n_padded;
    query.value_sum = 0;
    query.error = prepared.error;
    query.squared_norm = prepared.squared_norm;
    query.norm = std::sqrt(prepared.squared_norm);
    query.offset = prepared.offset + (is_inner_product() ? space_.squared_norm_centroid : 0);
    float scale = 0;
    if (prepared.squared_norm <= kMaxFloat) {
        std::memcpy(query.values, prepared.values, n * sizeof(float));
        const float max = max_magnitude(query.values, n);
        scale = max > 256 * std::numeric_limits<float>::min() ? max / 127 : 0;
    } else {
        std::memset(query.values, 0, n * sizeof(float));
        query.offset = kInfinity;
    }
    const float inverse_scale = scale > 0 ? 1 / scale : 0;
    Ints level_sums = {};
    double dot = 0;
    for (std::size_t i = 0; i < n; i += kLanes) {
        const Floats values = load(query.values + i);
        const Floats nearest = values < 0.f ? spread(-0.5f) : spread(0.5f);
        const Ints levels = truncate(values * inverse_scale + nearest);
        store_bytes(query.levels + i, levels);
        level_sums += levels;
        query.value_sum += sum_of(values);
        dot += sum_of(values * to_floats(levels));
    }
    query.level_sum = sum_of(level_sums);
    set_scale(query, scale * correction(query.squared_norm, scale * dot), kRoundedNoise);
}

template <int kBits>
void
ScalarCodec<kBits>::query_from_code(const CodeHeader& header, const std::uint8_t* code,
                                    Query& query) const {
    const std::size_t n = space_.n_padded;
    query.level_sum = write_signed_levels<kBits>(code, n, query.levels);
    query.norm =
        std::fabs(header.factor) * Noise<kBits>::kLevel * std::sqrt(static_cast<double>(n));
    query.offset = header.offset + (is_inner_product() ? space_.squared_norm_centroid : 0);
    double scale = kBits == 4 ? 0.5 * header.factor : header.factor;
    if constexpr (kBits == 8) {
        const double dot = kernels().dot_code8(code, query.levels, n) - kHalf<8> * query.level_sum;
        const double half_sum = 0.5 * query.level_sum + 0.25 * static_cast<double>(n);
        scale *= correction(dot + half_sum, dot);
    }
    set_scale(query, scale, Noise<kBits>::kCodeAsQuery);
}

template <int kBits>
float
ScalarCodec<kBits>::distance(const Query& query, const CodeHeader& header,
                             const std::uint8_t* code) const {
    const std::int32_t dot = kBits == 4 ? kernels().dot_code4(code, query.levels, space_.n_padded)
                                        : kernels().dot_code8(code, query.levels, space_.n_padded);
    const float twice_product = static_cast<float>(2 * dot - kMaxLevel * query.level_sum);
    return finite_or_infinity(header.offset + query.constant +
                              header.factor * query.weight * twice_product);
}

template <int kBits>
float
ScalarCodec<kBits>::estimate_error(const Query& query, const CodeHeader& header) const {
    return std::fabs(header.factor) * query.error_factor;
}

template <int kBits>
Refined
ScalarCodec<kBits>::refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                           const std::uint8_t* residual) const {
    const std::size_t n = space_.n_padded;
    const double root_n = std::sqrt(static_cast<double>(n));
    const float dot = kBits == 4 ? kernels().dot_code4_float(code, query.values, n)
                                 : kernels().dot_code8_float(code, query.values, n);
    double product = header.factor * (dot - kHalf<kBits> * query.value_sum);
    double error = header.error;
    double norm_change = is_trivial(error) ? 0 : error * error;
    double norm_of_levels = std::fabs(header.factor) * kMaxLevel * root_n;  // at most; uncentred
    if constexpr (kHasResidual) {
        ResidualHeader rest;
        std::memcpy(&rest, residual, sizeof(rest));
        const float rest_dot = kernels().dot_code8_float(residual + sizeof(rest), query.values, n);
        product += rest.step * (rest_dot - kHalf<8> * query.value_sum);
        error = rest.error;
        norm_change = rest.norm_change;
        norm_of_levels += rest.step * 255 * root_n;
    }
    const double slack = space_.sum_error * norm_of_levels * query.norm;
    const double norm = 0.5 * norm_of_levels + error;
    if (is_inner_product())
        return bound_product(query, header.offset + query.offset - product,
                             slack + error * query.norm, norm);
    return bound_square(query, header.offset + norm_change + query.squared_norm - 2 * product,
                        2 * slack + space_.sum_error * (header.offset + query.squared_norm), error);
}

/// `squared` is the squared distance of the query from the decoded vector, `slack` what rounding
/// may have done to it, `error` the distance of the vector from what was decoded.
template <int kBits>
Refined
ScalarCodec<kBits>::bound_square(const Query& query, double squared, double slack,
                                 double error) const {
    const double least = squared - slack;
    if (!std::isfinite(least))
        return {.distance = kInfinity, .lower_bound = 0};
    double bound = least > 0 ? std::sqrt(least) - error - query.error - kUnderflow : 0;
    bound = bound > 0 ? bound * (1 - space_.sum_error) : 0;
    bound *= bound;
    if (space_.metric == Metric::kCosine)
        bound -= 5 * space_.sum_error;  // the executor's three sums, in units of half a square
    return {.distance = narrow(squared > 0 ? squared : 0),
            .lower_bound = bound > 0 ? round_down(bound) : 0};
}

/// `distance` is the query's negative inner product with the decoded vector, which may be wrong by
/// `slack`; `norm` bounds the norm of the centred vector.
template <int kBits>
Refined
ScalarCodec<kBits>::bound_product(const Query& query, double distance, double slack,
                                  double norm) const {
    if (!std::isfinite(distance))
        return {.distance = kInfinity, .lower_bound = -kInfinity};
    // Of the executor's sum and of the float32 sums in the offsets, see the form in codec.h.
    const double norm_centroid = 2 * space_.norm_centroid;
    const double reach = (norm + norm_centroid) * (query.norm + norm_centroid);
    const double bound = distance - slack - query.error * norm - 2 * space_.sum_error * reach -
                         kUnderflow * kUnderflow;
    // Where the executor's sum can overflow, it may well be -infinity.
    return {
        .distance = narrow(distance),
        .lower_bound = reach < kMaxFloat && std::isfinite(bound) ? round_down(bound) : -kInfinity};
}

template <int kBits>
void
ScalarCodec<kBits>::decode(const CodeHeader& header, const std::uint8_t* code,
                           const std::uint8_t* residual, float* values) const {
    for_each_levels<kBits>(code, space_.n_padded, [&](std::size_t i, Ints levels) {
        store(values + i, header.factor * centre<kBits>(levels));
    });
    if (!kHasResidual || residual == nullptr)
        return;
    ResidualHeader rest;
    std::memcpy(&rest, residual, sizeof(rest));
    for_each_levels<8>(residual + sizeof(rest), space_.n_padded, [&](std::size_t i, Ints levels) {
        store(values + i, load(values + i) + rest.step * centre<8>(levels));
    });
}

template class ScalarCodec<4>;
template class ScalarCodec<8>;

}  // namespace vext::core
