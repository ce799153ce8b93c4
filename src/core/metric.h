// The metrics an index can order by, and the units their distances are kept in.
//
// Inside the index a distance is whatever is cheapest to estimate and orders the same way:
//   kL2            squared distance
//   kInnerProduct  negative inner product, as the operator
//   kCosine        squared distance of the normalised vectors, twice the operator's value
//   kL1            sum of absolute differences, as the operator
//   kHamming       number of bits that differ, as the operator
//   kJaccard       share of the bits set in either that are not set in both, as the operator
// The numbers are part of the on-disk format.

#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vext::core {

enum class Metric : std::uint8_t {
    kL2 = 0,
    kInnerProduct = 1,
    kCosine = 2,
    kL1 = 3,
    kHamming = 4,
    kJaccard = 5
};

/// Whether it compares bit strings, not numbers.
constexpr bool
is_of_bits(Metric metric) {
    return metric == Metric::kHamming || metric == Metric::kJaccard;
}

/// By number: how users write them.
inline constexpr std::array<std::string_view, 6> kMetricNames = {"l2", "ip",      "cosine",
                                                                 "l1", "hamming", "jaccard"};

/// The metric of that name, if there is one.
inline std::optional<Metric>
metric_of_name(std::string_view name) {
    for (std::size_t i = 0; i < kMetricNames.size(); ++i)
        if (kMetricNames[i] == name)
            return static_cast<Metric>(i);
    return std::nullopt;
}

/// An internal distance in the units of the SQL operator. Estimates of a square can be below zero;
/// they count as zero.
inline double
to_operator_distance(Metric metric, float distance) {
    switch (metric) {
        case Metric::kL2:
            return distance > 0 ? std::sqrt(static_cast<double>(distance)) : 0.0;
        case Metric::kCosine:
            return distance > 0 ? 0.5 * static_cast<double>(distance) : 0.0;
        case Metric::kInnerProduct:
        case Metric::kL1:
        case Metric::kHamming:
        case Metric::kJaccard:
            break;
    }
    return distance;
}

/// Whether an internal distance `far` is more than thrice `near`, in the units that distances are
/// seen in. Never by inner product, which is no distance.
inline bool
is_thrice(Metric metric, float near, float far) {
    switch (metric) {
        case Metric::kL2:
        case Metric::kCosine:
            return far > 9 * near;
        case Metric::kL1:
        case Metric::kHamming:
        case Metric::kJaccard:
            return far > 3 * near;
        case Metric::kInnerProduct:
            break;
    }
    return false;
}

}  // namespace vext::core
