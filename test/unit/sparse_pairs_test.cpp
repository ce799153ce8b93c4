// Groups of sparse codes: their nearest neighbours against codes measured one by one.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "core/batch/pairs.h"
#include "test_arena.h"

namespace vext::core {
namespace {

class SparsePairsTest : public testing::TestWithParam<std::tuple<Metric, std::int32_t>> {
   protected:
    static constexpr std::size_t kRoom = 30;

    SparsePairsTest()
        : codec_(CodecKind::kSparse, std::get<0>(GetParam()),
                 static_cast<std::size_t>(std::get<1>(GetParam())), nullptr, nullptr, kRoom),
          stride_(point_stride(codec_)),
          query_(codec_.allocate_query(memory_.arena())) {}

    // Some with more entries than codes have room for.
    void
    make_points(std::size_t n) {
        std::mt19937_64 random(8);
        std::uniform_real_distribution<double> uniform;
        const std::int32_t n_dims = std::get<1>(GetParam());
        bytes_.resize(n * stride_);
        chunk_ = bytes_.data();
        Prepared prepared = codec_.allocate_prepared(memory_.arena());
        for (std::size_t i = 0; i < n; ++i) {
            std::map<std::int32_t, float> entries;
            const std::size_t n_entries =
                std::min<std::size_t>(1 + random() % 40, static_cast<std::size_t>(n_dims));
            while (entries.size() < n_entries) {
                const double place = std::pow(uniform(random), 5.0);
                entries[std::min(static_cast<std::int32_t>(n_dims * place), n_dims - 1)] =
                    static_cast<float>(uniform(random) - 0.3);
            }
            std::vector<std::int32_t> indices;
            std::vector<float> values;
            for (const auto& [index, value] : entries) {
                indices.push_back(index);
                values.push_back(value);
            }
            std::vector<float> packed(packed_sparse_size(indices.size()));
            pack_sparse({n_dims, indices, values}, packed.data());
            ASSERT_EQ(codec_.prepare(packed.data(), prepared), PrepareStatus::kReady);
            auto* header = reinterpret_cast<CodeHeader*>(&bytes_[i * stride_]);
            codec_.encode(prepared, *header, &bytes_[i * stride_ + sizeof(CodeHeader)], nullptr);
            all_.push_back(static_cast<Point>(i));
        }
    }
    PointView
    view() {
        return {&codec_, all_.size(), stride_, 31, &chunk_};
    }
    float
    distance(Point a, Point b) {
        const PointView points = view();
        codec_.query_from_code(points.header(a), points.code(a), query_);
        return codec_.distance(query_, points.header(b), points.code(b));
    }
    // As near as the k nearest of `columns`, measured one by one.
    void
    expect_nearest(Point row, std::span<const Point> columns, std::span<const Near<Point>> found) {
        std::vector<float> all;
        for (const Point column : columns)
            if (column != row)
                all.push_back(distance(row, column));
        std::sort(all.begin(), all.end());
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (i >= all.size()) {
                EXPECT_EQ(found[i].id, kNoPoint);
                continue;
            }
            EXPECT_NE(found[i].id, row);
            EXPECT_NEAR(found[i].distance, all[i], 1e-5 * std::fabs(all[i]) + 1e-6);
            EXPECT_NEAR(found[i].distance, distance(row, found[i].id),
                        1e-5 * std::fabs(all[i]) + 1e-6);
        }
    }

    test::TestArena memory_;
    Codec codec_;
    std::size_t stride_;
    Query query_;
    std::vector<std::uint8_t> bytes_;
    std::uint8_t* chunk_ = nullptr;
    std::vector<Point> all_;
};

INSTANTIATE_TEST_SUITE_P(Shapes, SparsePairsTest,
                         testing::Combine(testing::Values(Metric::kL2, Metric::kInnerProduct,
                                                          Metric::kCosine, Metric::kL1),
                                          testing::Values(1, 50, 30522, 65536, 65537,
                                                          1'000'000'000)));

TEST_P(SparsePairsTest, FindsTheNearestOfAGroup) {
    constexpr std::size_t kNearest = 8;
    make_points(SparsePairs::kMostColumns + 50);
    for (const std::size_t n : {std::size_t{2}, std::size_t{40}, all_.size()}) {
        const std::span<const Point> group = std::span(all_).first(n);
        GroupPairs pairs(memory_.arena(), codec_, n, kNearest);
        std::vector<Near<Point>> found(n * kNearest);
        pairs.nearest_within(view(), group, kNearest, found);
        for (std::size_t i = 0; i < n; i += 7)
            expect_nearest(group[i], group, std::span(found).subspan(i * kNearest, kNearest));
    }
}

TEST_P(SparsePairsTest, FindsTheNearestOfOthers) {
    constexpr std::size_t kNearest = 5;
    make_points(300);
    const std::span<const Point> columns = std::span(all_).subspan(200);
    GroupPairs pairs(memory_.arena(), codec_, 110, kNearest);
    std::vector<Near<Point>> found(all_.size() * kNearest);
    pairs.nearest_across(view(), all_, columns, kNearest, found);
    for (std::size_t i = 0; i < all_.size(); i += 11)
        expect_nearest(all_[i], columns, std::span(found).subspan(i * kNearest, kNearest));
}

TEST_P(SparsePairsTest, APairHasOneDistance) {
    make_points(80);
    SparsePairs pairs(memory_.arena(), codec_, 80);
    std::vector<float> distances;
    pairs.set_columns(view(), all_);
    for (const Point row : all_) {
        const std::span<const float> measured = pairs.measure(view(), row);
        distances.insert(distances.end(), measured.begin(), measured.end());
    }
    for (std::size_t i = 0; i < 80; ++i)
        for (std::size_t j = 0; j < i; ++j)
            ASSERT_EQ(distances[i * 80 + j], distances[j * 80 + i]);
}

}  // namespace
}  // namespace vext::core
