// Sparse vectors: the entries themselves, by ascending index.
//
// Distances are made of the sum that a code begins with, known on both sides, and of what the
// shared indices change of it:
//   |x - q|^2 = sum over shared ((x - q)^2 - x^2 - q^2) + |x|^2 + |q|^2,
// in float64, so that vectors that are equal are at 0 but for the last of its bits. Of a vector
// that lost entries the inner product is scaled up by f = |v|^2 / |kept|^2: right for the vector
// itself as the query, and for one that has nothing in common with what was left out.
//
// Bounds. The part left out, of norm e at most, meets only what the query has beside the entries
// kept, of norm r: their inner product is at most e r, their distance at least r - e.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/codec/models.h"
#include "core/codec/sparse_code.h"
#include "core/hash.h"

namespace vext::core {

/// Over the indices that a code and a query share, x being the code's values and q the query's.
struct SparseSums {
    double between = 0;  ///< of (x - q)^2, |x - q| or x q, by the metric
    double of_code = 0;  ///< of x^2 or |x|
    double of_query = 0;
};

namespace {

/// A float64 sum is off by less than this part of the sum of magnitudes.
constexpr double kSumError = 1e-12;

/// What rounding to unit length, twice, and the operator can change of a squared distance: 12
/// roundings.
constexpr double kCosineError = 16 * kRounding;

SparseCode
entries_of(const CodecSpace& space, const std::uint8_t* code) {
    return sparse_code(space.n_dims, space.n_entries, code);
}

struct SquareTerms {
    static void
    add(double x, double q, SparseSums& sums) {
        sums.between += (x - q) * (x - q);
        sums.of_code += x * x;
        sums.of_query += q * q;
    }
};

struct MagnitudeTerms {
    static void
    add(double x, double q, SparseSums& sums) {
        sums.between += std::fabs(x - q);
        sums.of_code += std::fabs(x);
        sums.of_query += std::fabs(q);
    }
};

struct ProductTerms {
    static void
    add(double x, double q, SparseSums& sums) {
        sums.between += x * q;
        sums.of_query += q * q;
    }
};

template <typename Terms>
SparseSums
sums_over_shared(const Query& query, const SparseCode& entries) {
    return entries.with_indices([&](const auto* indices) {
        std::uint16_t found[kMostEntriesOfCode];
        const std::size_t n_found = query.lookup->find(indices, entries.n, found);
        SparseSums sums;
        for (std::size_t i = 0; i < n_found; ++i)
            query.lookup->with_value(
                static_cast<std::int32_t>(indices[found[i]]), [&](float value) {
                    Terms::add(entries.values[found[i]], value * query.scale, sums);
                });
        return sums;
    });
}

SparseSums
compare(const CodecSpace& space, const Query& query, const SparseCode& entries) {
    switch (space.metric) {
        case Metric::kInnerProduct:
            return sums_over_shared<ProductTerms>(query, entries);
        case Metric::kL1:
            return sums_over_shared<MagnitudeTerms>(query, entries);
        default:
            return sums_over_shared<SquareTerms>(query, entries);
    }
}

/// In internal units, as far as code and query tell.
double
distance_of(Metric metric, const Query& query, const CodeHeader& header, const SparseSums& sums,
            double norm) {
    const double factor = static_cast<double>(header.factor) * static_cast<double>(query.weight);
    if (metric == Metric::kInnerProduct)
        return -factor * sums.between;
    if (metric == Metric::kL1 || factor == 1)
        return sums.between + ((norm - sums.of_code) + (query.squared_norm - sums.of_query));
    // Twice the inner product.
    const double product = sums.of_code + sums.of_query - sums.between;
    return (static_cast<double>(header.offset) + query.offset) - factor * product;
}

/// Which entries of a vector a code keeps.
struct Choice {
    float least = 0;         ///< those with a larger magnitude, ...
    std::size_t n_like = 0;  ///< ... and so many, the first ones, with the same one
};

float
scaled(const Prepared& prepared, float value) {
    return static_cast<float>(static_cast<double>(value) * prepared.scale);
}

Choice
choose_entries(const Prepared& prepared, std::span<const float> values, std::size_t n_most) {
    if (values.size() <= n_most)
        return {};
    float* magnitudes = prepared.values;
    for (std::size_t i = 0; i < values.size(); ++i)
        magnitudes[i] = std::fabs(scaled(prepared, values[i]));
    float* const end = magnitudes + values.size();
    std::nth_element(magnitudes, magnitudes + (n_most - 1), end,
                     [](float a, float b) { return a > b; });
    Choice choice = {.least = magnitudes[n_most - 1]};
    const auto n_larger = std::count_if(magnitudes, magnitudes + n_most,
                                        [&](float magnitude) { return magnitude > choice.least; });
    choice.n_like = n_most - static_cast<std::size_t>(n_larger);
    return choice;
}

}  // namespace

std::size_t
SparseCodec::code_bytes_for(std::size_t n_dims, std::size_t n_entries) {
    const std::size_t index_bytes =
        has_short_indices(n_dims) ? sizeof(std::uint16_t) : sizeof(std::int32_t);
    return kSparseValuesOffset + n_entries * (sizeof(float) + index_bytes);
}

PrepareStatus
SparseCodec::prepare(const float* vector, Prepared& prepared) const {
    const SparseView view = unpack_sparse(vector);
    double norm = 0;
    for (const float value : view.values)
        norm +=
            is_l1() ? std::fabs(static_cast<double>(value)) : static_cast<double>(value) * value;
    prepared.source = vector;
    prepared.squared_norm = norm;
    prepared.scale = 1;
    prepared.error = 0;
    prepared.offset = 0;
    if (space_.metric == Metric::kCosine) {
        if (!(norm > 0))
            return PrepareStatus::kZeroVector;
        prepared.scale = 1 / std::sqrt(norm);
        if (norm < kMinSquaredNormOfCosine || norm > kMaxFloat)
            prepared.error = kTrivialError;
    }
    return norm <= kMaxFloat ? PrepareStatus::kReady : PrepareStatus::kOverflow;
}

void
SparseCodec::encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                    std::uint8_t* /*residual*/) const {
    const SparseView view = unpack_sparse(prepared.source);
    Choice choice = choose_entries(prepared, view.values, space_.n_entries);
    std::int32_t indices[kMostEntriesOfCode];
    std::uint32_t n = 0;
    double kept = 0;
    double left_out = 0;
    std::memset(code, 0, code_bytes());
    for (std::size_t i = 0; i < view.size(); ++i) {
        const float value = scaled(prepared, view.values[i]);
        const float magnitude = std::fabs(value);
        const double part = is_l1() ? magnitude : static_cast<double>(value) * value;
        // A value can be lost below the least float by scaling; a code holds no zeros.
        const bool is_like = magnitude > 0 && magnitude == choice.least && choice.n_like > 0;
        if (magnitude > choice.least || is_like) {
            choice.n_like -= is_like ? 1 : 0;
            std::memcpy(code + kSparseValuesOffset + n * sizeof(float), &value, sizeof(float));
            indices[n++] = view.indices[i];
            kept += part;
        } else {
            left_out += part;
        }
    }
    std::uint8_t* const place = code + kSparseValuesOffset + n * sizeof(float);
    for (std::size_t i = 0; i < n; ++i) {
        if (has_short_indices(space_.n_dims))
            std::memcpy(place + i * sizeof(std::uint16_t), &indices[i], sizeof(std::uint16_t));
        else
            std::memcpy(place + i * sizeof(std::int32_t), &indices[i], sizeof(std::int32_t));
    }
    std::memcpy(code, &kept, sizeof(kept));
    std::memcpy(code + kSparseNumberOffset, &n, sizeof(n));
    const bool is_scaled = !is_l1() && left_out > 0 && kept > 0;
    header.factor = is_scaled ? narrow((kept + left_out) / kept) : 1;
    header.offset = narrow(kept + left_out);
    header.error = 0;
    if (left_out > 0)
        header.error = round_up((is_l1() ? left_out : std::sqrt(left_out)) * (1 + kSumError));
    if (prepared.error >= kTrivialError)
        header.error = static_cast<float>(kTrivialError);
}

void
SparseCodec::prepare_query(const Prepared& prepared, Query& query) const {
    const SparseView view = unpack_sparse(prepared.source);
    query.lookup->set(view.indices, view.values);
    query.scale = prepared.scale;
    query.squared_norm = prepared.squared_norm;
    if (space_.metric == Metric::kCosine) {
        query.squared_norm = 0;
        for (const float value : view.values)
            query.squared_norm += value * prepared.scale * (value * prepared.scale);
    }
    query.offset = query.squared_norm;
    query.norm = std::sqrt(query.squared_norm);
    query.weight = 1;
    query.error = prepared.error;
}

void
SparseCodec::query_from_code(const CodeHeader& header, const std::uint8_t* code,
                             Query& query) const {
    const SparseCode entries = entries_of(space_, code);
    const std::span<std::int32_t> indices = query.lookup->own_indices().first(entries.n);
    const std::span<float> values = query.lookup->own_values().first(entries.n);
    std::copy_n(entries.values, entries.n, values.begin());
    entries.with_indices([&](const auto* from) { std::copy_n(from, entries.n, indices.begin()); });
    query.lookup->set(indices, values);
    query.scale = 1;
    query.squared_norm = entries.norm;
    query.offset = header.offset;
    query.norm = std::sqrt(query.offset);
    query.weight = header.factor;
    query.error = header.error;
}

float
SparseCodec::distance(const Query& query, const CodeHeader& header,
                      const std::uint8_t* code) const {
    const SparseCode entries = entries_of(space_, code);
    const SparseSums sums = compare(space_, query, entries);
    return finite_or_infinity(
        narrow(distance_of(space_.metric, query, header, sums, entries.norm)));
}

float
SparseCodec::estimate_error(const Query& query, const CodeHeader& header) const {
    if (header.error == 0 && query.error == 0)
        return 0;
    double error = header.error + query.error;
    if (!is_l1()) {
        const double weight = space_.metric == Metric::kInnerProduct ? 1 : 2;
        error = weight * (header.error * query.norm +
                          query.error * std::sqrt(std::fabs(static_cast<double>(header.offset))));
    }
    return error >= 0 && error < kMaxFloat ? static_cast<float>(error) : 0;
}

Refined
SparseCodec::refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                    const std::uint8_t* /*residual*/) const {
    const SparseCode entries = entries_of(space_, code);
    const SparseSums sums = compare(space_, query, entries);
    return bound(query, header, sums, entries.norm);
}

Refined
SparseCodec::bound(const Query& query, const CodeHeader& header, const SparseSums& sums,
                   double norm) const {
    const bool is_product = space_.metric == Metric::kInnerProduct;
    const float distance =
        finite_or_infinity(narrow(distance_of(space_.metric, query, header, sums, norm)));
    // Whether damaged or beyond float32: nothing is known but the least that a distance can be.
    const Refined trivial = {.distance = distance, .lower_bound = is_product ? -kInfinity : 0};
    const double error = header.error;
    if (!(distance < kInfinity) || !(error >= 0) || !(norm >= 0) ||
        !(query.squared_norm <= kMaxFloat) || query.error >= kTrivialError ||
        (space_.metric == Metric::kCosine && error >= kTrivialError))
        return trivial;
    const double slack = kSumError * (norm + query.squared_norm);
    const double beside = std::max(query.squared_norm - sums.of_query, 0.0);
    double bound = 0;
    if (is_product) {
        const double unknown = error * std::sqrt(beside + slack);
        bound = -sums.between - unknown - 2 * kRounding * (std::fabs(sums.between) + unknown) -
                slack - kUnderflow * kUnderflow;
        return std::isnan(bound) ? trivial : Refined{distance, round_down(bound)};
    }
    const double kept = sums.between + (norm - sums.of_code);
    if (is_l1()) {
        bound = kept + std::max(beside - error, 0.0) - slack;
        bound -= 4 * kRounding * bound + kUnderflow;
    } else {
        const double apart = std::max(std::sqrt(beside) - error, 0.0);
        bound = kept + apart * apart - slack;
        bound -= 4 * kRounding * bound + kUnderflow * kUnderflow;
        if (space_.metric == Metric::kCosine)
            bound -= kCosineError;
    }
    return bound > 0 ? Refined{distance, round_down(bound)} : trivial;
}

void
SparseCodec::decode(const CodeHeader& /*header*/, const std::uint8_t* code,
                    const std::uint8_t* /*residual*/, float* values) const {
    const SparseCode entries = entries_of(space_, code);
    std::fill_n(values, kFoldedDims, 0.f);
    entries.with_indices([&](const auto* indices) {
        for (std::size_t i = 0; i < entries.n; ++i) {
            const std::uint64_t hash = mix64(static_cast<std::uint64_t>(indices[i]));
            const float value = entries.values[i];
            values[hash % kFoldedDims] += hash >> 63 != 0 ? value : -value;
        }
    });
}

const char*
SparseCodec::check(const CodeHeader& header, const std::uint8_t* code) const {
    std::uint32_t n = 0;
    std::memcpy(&n, code + kSparseNumberOffset, sizeof(n));
    if (n > space_.n_entries)
        return "a sparse code has more entries than there is room for";
    const SparseCode entries = entries_of(space_, code);
    double norm = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const float value = entries.values[i];
        if (!std::isfinite(value) || value == 0)
            return "a value of a sparse code is zero or not finite";
        norm +=
            is_l1() ? std::fabs(static_cast<double>(value)) : static_cast<double>(value) * value;
    }
    if (norm != entries.norm || !(header.factor >= 1))
        return "a sparse code's norm is not that of its values";
    const bool ascends = entries.with_indices([&](const auto* indices) {
        std::int64_t before = -1;
        for (std::size_t i = 0; i < n; ++i) {
            if (indices[i] <= before || indices[i] >= static_cast<std::int64_t>(space_.n_dims))
                return false;
            before = indices[i];
        }
        return true;
    });
    if (!ascends)
        return "a sparse code's indices do not ascend within the dimensions";
    const std::uint8_t* const used = code + code_bytes_for(space_.n_dims, n);
    if (std::any_of(used, code + code_bytes(), [](std::uint8_t byte) { return byte != 0; }))
        return "a sparse code's unused bytes are in use";
    return nullptr;
}

}  // namespace vext::core
