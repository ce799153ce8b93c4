// See centroid_offset.h.
//
// Codes tell a vector from the centroid on, in a rotated space that has the same distances.
// Medians, since of first rows of another kind, which make a bad centroid, some may be left.

#include "hnsw/inspect/centroid_offset.h"

#include <algorithm>
#include <cmath>

#include "core/codec/coarseness.h"
#include "hnsw/pages/create.h"
#include "pg/memory.h"
#include "pg/random.h"

namespace vext::hnsw {

namespace {

constexpr std::size_t kSampledNodes = 1000;
constexpr std::uint32_t kMostTries = 4 * kSampledNodes;  // slots can be free
constexpr std::size_t kLeastPairs = 10;                  // fewer say little

// Where recall@10 of uniform vectors at ef_search 40 falls below 0.9 or so (docs/decisions.md).
constexpr double kFarOf4Bits = 3;
constexpr double kFarOf8Bits = 20;

constexpr double kGoldenRatio = 0.6180339887498949;

class CentroidSample {
   public:
    CentroidSample(Index& index, core::Arena& arena)
        : index_(&index),
          values_(arena.allocate_zeroed<float>(index.codec->n_padded())),
          before_(arena.allocate_zeroed<float>(index.codec->n_padded())),
          sum_(arena.allocate_zeroed<double>(index.codec->n_padded())),
          from_centroid_(arena, kSampledNodes),
          between_(arena, kSampledNodes),
          coarseness_(arena, index.codec->n_padded()) {}

    // Each beside the one before, which lies elsewhere in the index: in another cluster, if rows
    // came cluster by cluster.
    std::optional<double>
    measure() {
        if (index_->n_held == 0)
            return {};
        bool has_before = false;
        for (std::uint32_t i = 0; i < kMostTries && from_centroid_.size() < kSampledNodes; ++i) {
            CHECK_FOR_INTERRUPTS();
            const double part = std::fmod(kGoldenRatio * i, 1.0);
            if (!decode(static_cast<NodeId>(part * index_->n_held)))
                continue;
            from_centroid_.push_back(norm_of(values_));
            squares_ += from_centroid_.back() * from_centroid_.back();
            for (std::size_t d = 0; d < values_.size(); ++d) {
                before_[d] -= values_[d];
                sum_[d] += values_[d];
            }
            if (has_before)
                between_.push_back(norm_of(before_));
            std::copy(values_.begin(), values_.end(), before_.begin());
            has_before = true;
            coarseness_.add(values_, pg::random_bits());
        }
        if (between_.size() < kLeastPairs)
            return {};
        const double distance = median(between_);
        if (!(distance > 0))
            return {};
        return median(from_centroid_) / distance;
    }

    // Whether the vectors, measured before, lie farther from the centroid than about their own
    // mean: REINDEX would give them a better one.
    bool
    is_off_mean() const {
        const auto n = static_cast<double>(from_centroid_.size());
        const double from_mean = squares_ / n - squared_norm_of(sum_) / (n * n);
        return squared_norm_of(sum_) / (n * n) > from_mean;
    }

    // Of codes; the centroid is zero here.
    double
    coarseness() {
        std::ranges::fill(before_, 0);
        return coarseness_.measure(before_);
    }

   private:
    static double
    median(core::Array<double>& values) {
        double* const middle = values.begin() + values.size() / 2;
        std::nth_element(values.begin(), middle, values.end());
        return *middle;
    }

    template <typename Value>
    static double
    squared_norm_of(std::span<Value> values) {
        double squared = 0;
        for (const double value : values)
            squared += value * value;
        return squared;
    }

    static double
    norm_of(std::span<const float> values) {
        return std::sqrt(squared_norm_of(values));
    }

    // Makes values_ what code and residual say of the vector; false where this is no live node.
    bool
    decode(NodeId id) {
        const Geometry& geometry = index_->geometry;
        const auto read = [&](const std::uint8_t* record, const std::uint8_t* residual) {
            if (!is_live_node(record))
                return false;
            index_->codec->decode(code_header(record, geometry), code_of(record, geometry),
                                  residual, values_.data());
            return true;
        };
        const Place hot = geometry.hot_place(id);
        if (geometry.cold_bytes == 0)
            return with_record(*index_, id,
                               [&](const std::uint8_t* record) { return read(record, nullptr); });
        // Of a slot that was never used, the cold page may be missing on a standby.
        if (!with_record(*index_, id, is_live_node))
            return false;
        const Place cold = geometry.cold_place(id);
        check_cold_block(*index_, cold.block);
        return pg::with_two_pages(
            index_->relation, hot.block, cold.block, index_->hints,
            [&](const std::uint8_t* hot_page, const std::uint8_t* cold_page) {
                return check_page_or_report(*index_, hot_page, PageKind::kHot, hot.block, true) &&
                       check_page_or_report(*index_, cold_page, PageKind::kCold, cold.block,
                                            true) &&
                       read(hot_page + hot.offset, cold_page + cold.offset);
            });
    }

    Index* index_;
    std::span<float> values_;
    std::span<float> before_;
    std::span<double> sum_;
    double squares_ = 0;
    core::Array<double> from_centroid_;
    core::Array<double> between_;
    core::CoarsenessSample coarseness_;
};

static_assert(std::is_trivially_destructible_v<CentroidSample>);

}  // namespace

std::optional<double>
measure_centroid_offset(Index& index) {
    if (!core::is_rotated(index.meta.codec))
        return {};
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    return arena.make<CentroidSample>(index, arena)->measure();
}

bool
has_far_centroid(Index& index) {
    if (!core::is_rotated(index.meta.codec))
        return false;
    const double far = index.meta.codec == core::CodecKind::kScalar4 ? kFarOf4Bits : kFarOf8Bits;
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    auto* sample = arena.make<CentroidSample>(index, arena);
    return sample->measure().value_or(0) > far && sample->is_off_mean();
}

bool
has_coarse_codes(Index& index) {
    MetaPage finer = index.meta;
    take_finer_codec(finer);
    if (finer.codec == index.meta.codec)
        return false;
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    auto* sample = arena.make<CentroidSample>(index, arena);
    return sample->measure().has_value() && sample->coarseness() > core::kCoarseFor4Bits;
}

}  // namespace vext::hnsw
