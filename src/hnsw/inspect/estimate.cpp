// See estimate.h.

#include "hnsw/inspect/estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hnsw/batch/plan.h"
#include "hnsw/options.h"

namespace vext::hnsw {

namespace {

void
check_option(const char* name, int value, int least, int most) {
    if (value < least || value > most)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("value %d out of bounds for option \"%s\"", value, name),
                errdetail("Valid values are between \"%d\" and \"%d\".", least, most));
}

void
check_request(std::int64_t n_rows, const Definition& definition) {
    if (n_rows < 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("number of rows must not be negative"));
    if (definition.n_dims < 1)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("dimensions for type vector must be at least 1"));
    if (definition.n_entries > 0 && core::is_of_bits(definition.metric))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("metric \"%s\" is not of type sparsevec",
                       core::kMetricNames[static_cast<std::size_t>(definition.metric)].data()));
    if (definition.n_entries > 0 && definition.n_dims > core::kMaxSparseDims)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("sparsevec cannot have more than %d dimensions", core::kMaxSparseDims));
    if (definition.n_entries > core::kMaxSparseEntries)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("sparsevec cannot have more than %d non-zero elements",
                       static_cast<int>(core::kMaxSparseEntries)));
    if (definition.n_entries > 0 &&
        definition.n_entries > static_cast<std::size_t>(definition.n_dims))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("number of entries must not be larger than that of dimensions"));
    check_option("m", definition.m, kMinM, kMaxM);
    check_option("ef_construction", definition.ef_construction, kMinEfConstruction,
                 kMaxEfConstruction);
}

// An index that does not exist, as far as planning looks at it.
Index
imagine_index(const Definition& definition) {
    Index index = {};
    index.meta = make_meta(definition);
    index.geometry = geometry_of(index.meta);
    index.codec = make_codec(index.meta,
                             core::has_centroid(index.meta.codec)
                                 ? static_cast<float*>(palloc0(index.meta.n_dims() * sizeof(float)))
                                 : nullptr);
    return index;
}

// The least memory, in whole kB, that a plan takes this many rows in: what fits grows with memory.
std::uint64_t
least_memory(const Index& index, std::int64_t n_rows, BuildMeans means) {
    const auto fits = [&](std::uint64_t n_kilobytes) {
        means.n_bytes = n_kilobytes * 1024;
        return plan_batch(index, means).capacity >= static_cast<std::size_t>(n_rows);
    };
    std::uint64_t too_few = 0;
    std::uint64_t enough = 1024;  // the least that the setting can be
    while (!fits(enough)) {
        too_few = enough;
        enough *= 2;
    }
    while (enough - too_few > 1 && enough > 1024) {
        const std::uint64_t middle = too_few + (enough - too_few) / 2;
        (fits(middle) ? enough : too_few) = middle;
    }
    return enough * 1024;
}

// The rates of the machine that docs/decisions.md has figures of; docs/sql_reference.md states
// them. To the millisecond.
double
seconds_of_build(std::int64_t n_rows, const Definition& definition, int n_members) {
    constexpr double kRowSeconds = 60e-6;
    constexpr double kDimensionSeconds = 0.05e-6;
    constexpr double kEntrySeconds = 1e-6;  // of a sparse vector
    const double effort = std::max(1.0, definition.ef_construction / 64.0);
    const double vector_seconds = definition.n_entries > 0
                                      ? kEntrySeconds * static_cast<double>(definition.n_entries)
                                      : kDimensionSeconds * definition.n_dims;
    const double seconds =
        static_cast<double>(n_rows) * effort * (kRowSeconds + vector_seconds) / n_members;
    return std::round(seconds * 1000) / 1000;
}

// So wide that the machine hardly matters.
const char*
time_class(double seconds) {
    if (seconds < 60)
        return "seconds";
    if (seconds < 3600)
        return "minutes";
    return seconds < 24 * 3600 ? "hours" : "days";
}

}  // namespace

Estimate
estimate_index(std::int64_t n_rows, const Definition& definition, int n_members) {
    check_request(n_rows, definition);
    const Index index = imagine_index(definition);
    const Geometry& geometry = index.geometry;
    // Nodes, and the records of those on upper layers.
    const double n_records =
        std::ceil(static_cast<double>(n_rows) *
                  (geometry.max_layer > 0 ? 1 + core::rising_share(index.meta.m) : 1));
    if (n_records > kMostSlots)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("an hnsw index cannot hold %lld rows", static_cast<long long>(n_rows)),
                errdetail("It has at most %u records.", kMostSlots));
    const std::uint64_t per_extent = geometry.slots_per_extent();
    const std::uint64_t n_extents =
        (static_cast<std::uint64_t>(n_records) + per_extent - 1) / per_extent;
    const std::uint64_t hot = geometry.first_block + n_extents * geometry.hot_blocks;
    const double seconds = seconds_of_build(n_rows, definition, n_members);
    return {least_memory(index, std::min<std::int64_t>(n_rows, kMostBatch),
                         {0, n_members, static_cast<std::size_t>(definition.ef_construction)}),
            seconds, time_class(seconds), hot * kPageSize,
            n_extents * geometry.cold_blocks * kPageSize};
}

}  // namespace vext::hnsw
