// The pairs of a group against distances computed one by one, for every codec, metric and CPU
// level.

#include "core/batch/pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/distance/dispatch.h"
#include "test_arena.h"

namespace vext::core {
namespace {

using Ids = std::vector<Point>;
using Nears = std::vector<Near<Point>>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<SimdLevel>
supported_levels() {
    std::vector<SimdLevel> levels;
    for (const SimdLevel level :
         {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512, SimdLevel::kNeon})
        if (is_supported(level))
            levels.push_back(level);
    return levels;
}

/// Encoded random vectors, scattered over chunks of `1 << chunk_shift` points.
class Points {
   public:
    Points(Metric metric, std::size_t n_dims, std::size_t n, unsigned chunk_shift = 5)
        : random_(n_dims * 31 + n),
          centroid_(random_vector(n_dims, 0.5f)),
          rotation_(memory_.arena(), n_dims, 7),
          codec_(codec_for(metric, n_dims), metric, n_dims, centroid_.data(), &rotation_) {
        const std::size_t stride = point_stride(codec_);
        for (std::size_t begin = 0; begin < n; begin += std::size_t{1} << chunk_shift) {
            const std::size_t n_chunk = std::min(n - begin, std::size_t{1} << chunk_shift);
            chunks_.push_back(memory_.arena().allocate<std::uint8_t>(n_chunk * stride).data());
        }
        view_ = {&codec_, n, stride, chunk_shift, chunks_.data()};
        Prepared prepared = codec_.allocate_prepared(memory_.arena());
        std::vector<std::uint8_t> residual(codec_.residual_bytes() + 1);
        for (const Point point : ids_below<Point>(n)) {
            const std::vector<float> vector = random_vector(n_dims, 1);
            EXPECT_EQ(codec_.prepare(vector.data(), prepared), PrepareStatus::kReady);
            CodeHeader header;
            codec_.encode(prepared, header, view_.record(point) + sizeof(header), residual.data());
            std::memcpy(view_.record(point), &header, sizeof(header));
        }
    }

    const PointView&
    view() const {
        return view_;
    }
    const Codec&
    codec() const {
        return codec_;
    }
    void
    copy(Point from, Point to) {
        std::memcpy(view_.record(to), view_.record(from), view_.stride);
    }
    void
    set_offset(Point point, float offset) {
        CodeHeader header = view_.header(point);
        header.offset = offset;
        std::memcpy(view_.record(point), &header, sizeof(header));
    }

    /// Twice the centred level of a dimension.
    int
    level(Point point, std::size_t dim) const {
        const std::uint8_t* code = view_.code(point);
        if (codec_.kind() == CodecKind::kScalar8)
            return 2 * code[dim] - 255;
        const std::size_t n_bytes = codec_.n_padded() / 2;
        return 2 * (dim < n_bytes ? code[dim] & 15 : code[dim - n_bytes] >> 4) - 15;
    }

    /// The distance in float64, and how far float32 may be from it.
    struct Expected {
        double distance;
        double error;
    };
    Expected
    distance(Point a, Point b) {
        const bool is_of_bits = codec_.kind() == CodecKind::kBits;
        if (is_of_bits || codec_.kind() == CodecKind::kExact ||
            codec_.kind() == CodecKind::kPlain8) {
            Query query = codec_.allocate_query(memory_.arena());
            codec_.query_from_code(view_.header(a), view_.code(a), query);
            const double distance = codec_.distance(query, view_.header(b), view_.code(b));
            return {distance, is_of_bits ? 0 : 1e-6 * (1 + squared_norm(a) + squared_norm(b))};
        }
        long product = 0;
        for (std::size_t i = 0; i < codec_.n_padded(); ++i)
            product += level(a, i) * level(b, i);
        const CodeHeader& x = view_.header(a);
        const CodeHeader& y = view_.header(b);
        const bool is_product = codec_.metric() == Metric::kInnerProduct;
        double constant = 0;
        for (const float c : centroid_)
            constant += is_product ? static_cast<double>(c) * c : 0;
        const double part = (is_product ? 0.25 : 0.5) * x.factor * y.factor * product;
        return {static_cast<double>(x.offset) + y.offset + constant - part,
                1e-6 * (std::fabs(x.offset) + std::fabs(y.offset) + constant + std::fabs(part))};
    }

   private:
    double
    squared_norm(Point a) const {
        std::vector<float> values(codec_.n_padded());
        codec_.decode(view_.header(a), view_.code(a), nullptr, values.data());
        double sum = 0;
        for (const float value : values)
            sum += static_cast<double>(value) * value;
        return sum;
    }

    std::vector<float>
    random_vector(std::size_t n_dims, float scale) {
        std::normal_distribution<float> normal;
        std::vector<float> vector(n_dims);
        for (float& x : vector)
            x = scale * normal(random_);
        return vector;
    }

    test::TestArena memory_;
    std::mt19937_64 random_;
    std::vector<float> centroid_;
    Rotation rotation_;
    Codec codec_;
    std::vector<std::uint8_t*> chunks_;
    PointView view_;
};

Ids
shuffled(std::size_t n, std::uint64_t seed = 1) {
    Ids ids;
    for (const Point point : ids_below<Point>(n))
        ids.push_back(point);
    std::shuffle(ids.begin(), ids.end(), std::mt19937_64(seed));
    return ids;
}

Nears
within(const Points& points, const Ids& group, std::size_t k) {
    test::TestArena memory;
    GroupPairs pairs(memory.arena(), points.codec(), std::max<std::size_t>(group.size(), 1), k);
    Nears out(group.size() * k);
    pairs.nearest_within(points.view(), group, k, out);
    return out;
}

Nears
across(const Points& points, const Ids& rows, const Ids& columns, std::size_t k) {
    test::TestArena memory;
    GroupPairs pairs(memory.arena(), points.codec(), std::max<std::size_t>(columns.size(), 1), k);
    Nears out(rows.size() * k);
    pairs.nearest_across(points.view(), rows, columns, k, out);
    return out;
}

void
expect_same(const Nears& a, const Nears& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(a[i].id, b[i].id) << i;
        ASSERT_EQ(a[i].distance, b[i].distance) << i;
    }
}

/// The distances among points, computed once for all CPU levels.
class Model {
   public:
    Model(Points& points, const Ids& rows, const Ids& columns) : rows_(rows), columns_(columns) {
        for (const Point row : rows)
            for (const Point column : columns)
                expected_.push_back(points.distance(row, column));
    }

    void
    check(const Nears& out, std::size_t k) const {
        ASSERT_EQ(out.size(), rows_.size() * k);
        for (std::size_t r = 0; r < rows_.size(); ++r)
            check_row(r, std::span(out).subspan(r * k, k));
    }

   private:
    void
    check_row(std::size_t r, std::span<const Near<Point>> nears) const {
        std::vector<double> sorted;
        std::vector<std::size_t> position(
            1 + number_of(*std::max_element(columns_.begin(), columns_.end())), columns_.size());
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            if (columns_[c] == rows_[r])
                continue;
            sorted.push_back(at(r, c).distance);
            position[number_of(columns_[c])] = c;
        }
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t i = 0; i < nears.size(); ++i) {
            if (i >= sorted.size()) {
                ASSERT_EQ(nears[i].id, kNoPoint);
                ASSERT_EQ(nears[i].distance, kInfinity);
                continue;
            }
            const std::uint32_t id = number_of(nears[i].id);
            ASSERT_LT(id, position.size());
            const std::size_t c = position[id];
            ASSERT_LT(c, columns_.size()) << "row " << r << " has " << id << " again";
            position[id] = columns_.size();
            ASSERT_NEAR(nears[i].distance, at(r, c).distance, at(r, c).error);
            ASSERT_NEAR(nears[i].distance, sorted[i], 2 * at(r, c).error);
            ASSERT_TRUE(i == 0 || nears[i - 1].distance <= nears[i].distance);
        }
    }
    const Points::Expected&
    at(std::size_t r, std::size_t c) const {
        return expected_[r * columns_.size() + c];
    }

    Ids rows_;
    Ids columns_;
    std::vector<Points::Expected> expected_;
};

struct Shape {
    Metric metric;
    std::size_t n_dims;
    std::size_t n;
};

std::string
name_of(const testing::TestParamInfo<Shape>& info) {
    constexpr const char* kNames[] = {"L2", "InnerProduct", "Cosine", "L1", "Hamming", "Jaccard"};
    return std::string(kNames[static_cast<int>(info.param.metric)]) +
           std::to_string(info.param.n_dims) + "x" + std::to_string(info.param.n);
}

class PairsTest : public testing::TestWithParam<Shape> {
   protected:
    ~PairsTest() override { select_simd_level(SimdLevel::kAuto); }
};

std::vector<Shape>
shapes() {
    std::vector<Shape> shapes;
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1}) {
        for (const std::size_t n_dims : {5, 16, 32, 33, 100, 256, 257, 300, 768, 1536})
            for (const std::size_t n : {1, 2, 3, 31, 32, 33, 100})
                if (n >= 33 || n_dims == 33 || n_dims == 300)
                    shapes.push_back({metric, n_dims, n});
    }
    for (const std::size_t n_dims : {8, 48, 270})
        shapes.push_back({Metric::kL2, n_dims, 1000});
    shapes.push_back({Metric::kL1, 8, 1000});
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard})
        for (const std::size_t n_bits : {1, 8, 63, 64, 65, 768, 2049})
            for (const std::size_t n : {1, 2, 31, 32, 33, 100})
                if (n >= 33 || n_bits == 65)
                    shapes.push_back({metric, n_bits, n});
    return shapes;
}

TEST_P(PairsTest, WithinIsNearest) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, n + 5);
    Ids group = shuffled(n + 5);
    group.resize(n);
    const Model model(points, group, group);
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        for (const std::size_t k : {1, 16, 40})
            ASSERT_NO_FATAL_FAILURE(model.check(within(points, group, k), k));
    }
}

TEST_P(PairsTest, AcrossIsNearest) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, n + n / 2);
    Ids rows = shuffled(n + n / 2);
    rows.resize(n);
    Ids columns = shuffled(n + n / 2, 2);
    columns.resize(n / 3 + 1);
    const Model model(points, rows, columns);
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        for (const std::size_t k : {3, 16})
            ASSERT_NO_FATAL_FAILURE(model.check(across(points, rows, columns, k), k));
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, PairsTest, testing::ValuesIn(shapes()), name_of);

class PairsOfCodec : public testing::TestWithParam<Shape> {
   protected:
    ~PairsOfCodec() override { select_simd_level(SimdLevel::kAuto); }
};

const Shape kOneOfEachCodec[] = {
    {Metric::kL2, 20, 150},      {Metric::kL2, 70, 150},
    {Metric::kL2, 300, 150},     {Metric::kInnerProduct, 300, 150},
    {Metric::kL1, 70, 150},      {Metric::kHamming, 70, 150},
    {Metric::kJaccard, 70, 150},
};
INSTANTIATE_TEST_SUITE_P(Codecs, PairsOfCodec, testing::ValuesIn(kOneOfEachCodec), name_of);

/// Those that are compared in tiles.
class PairsInTiles : public PairsOfCodec {};
INSTANTIATE_TEST_SUITE_P(Codecs, PairsInTiles,
                         testing::Values(kOneOfEachCodec[1], kOneOfEachCodec[2], kOneOfEachCodec[3],
                                         kOneOfEachCodec[5], kOneOfEachCodec[6]),
                         name_of);

/// Those with integer products.
class PairsOfScalarCodec : public PairsOfCodec {};
INSTANTIATE_TEST_SUITE_P(Codecs, PairsOfScalarCodec,
                         testing::Values(kOneOfEachCodec[1], kOneOfEachCodec[2],
                                         kOneOfEachCodec[3]),
                         name_of);

TEST_P(PairsOfCodec, AgreeWithTheCodec) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, n);
    const Codec& codec = points.codec();
    const bool is_scalar8 = codec.kind() == CodecKind::kScalar8;  // whose queries are rounded
    test::TestArena memory;
    Query query = codec.allocate_query(memory.arena());
    const Ids group = shuffled(n);
    for (const SimdLevel level : supported_levels()) {
        select_simd_level(level);
        const Nears out = within(points, group, 8);
        for (std::size_t i = 0; i < out.size(); ++i) {
            const CodeHeader& header = points.view().header(group[i / 8]);
            codec.query_from_code(header, points.view().code(group[i / 8]), query);
            const float distance = codec.distance(query, points.view().header(out[i].id),
                                                  points.view().code(out[i].id));
            ASSERT_NEAR(
                out[i].distance, distance,
                (is_scalar8 ? 0.01 : 2e-6) * (1 + std::fabs(header.offset) + std::fabs(distance)));
        }
    }
}

TEST_P(PairsInTiles, DoNotDependOnOrderOrRole) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, n);
    const std::size_t k = 9;
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        const Ids group = shuffled(n);
        const Nears out = within(points, group, k);
        expect_same(out, across(points, group, group, k));
        const Ids others = shuffled(n, 3);
        const Nears other_out = within(points, others, k);
        for (std::size_t i = 0; i < n; ++i) {
            const auto place = std::find(others.begin(), others.end(), group[i]) - others.begin();
            const auto row = other_out.begin() + place * static_cast<std::ptrdiff_t>(k);
            expect_same(Nears(out.begin() + static_cast<std::ptrdiff_t>(i * k),
                              out.begin() + static_cast<std::ptrdiff_t>((i + 1) * k)),
                        Nears(row, row + static_cast<std::ptrdiff_t>(k)));
        }
    }
}

TEST_P(PairsOfCodec, TiesGoToTheSmallerId) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, n);
    for (const Point point : IdRange(Point{1}, static_cast<Point>(n)))
        points.copy(Point{0}, point);
    const std::size_t k = 7;
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        const Ids group = shuffled(n);
        for (const Nears& out : {within(points, group, k), across(points, group, group, k)})
            for (std::size_t i = 0; i < out.size(); ++i) {
                const std::size_t place = i % k;
                ASSERT_EQ(number_of(out[i].id),
                          place < number_of(group[i / k]) ? place : place + 1);
            }
    }
}

TEST_P(PairsOfScalarCodec, NotFiniteIsNeverPicked) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, 40);
    points.set_offset(Point{7}, kInfinity);
    points.set_offset(Point{8}, -kInfinity);
    points.set_offset(Point{9}, kNan);
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        const Ids group = shuffled(40);
        const std::size_t k = 39;
        for (const Nears& out : {within(points, group, k), across(points, group, group, k)})
            for (std::size_t i = 0; i < out.size(); ++i) {
                const auto is_damaged = [](Point point) {
                    return point >= Point{7} && point <= Point{9};
                };
                ASSERT_EQ(out[i].id == kNoPoint, is_damaged(group[i / k]) || i % k >= 36);
                ASSERT_FALSE(is_damaged(out[i].id));
            }
    }
}

TEST_P(PairsOfCodec, ReuseTheirMemory) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, n);
    test::TestArena memory;
    GroupPairs pairs(memory.arena(), points.codec(), 100, 20);
    std::mt19937_64 random(5);
    for (std::size_t round = 0; round < 20; ++round) {
        Ids group = shuffled(n, random());
        group.resize(random() % 101);
        const std::size_t k = 1 + random() % 20;
        Nears out(group.size() * k);
        pairs.nearest_within(points.view(), group, k, out);
        expect_same(out, within(points, group, k));
        const Ids rows = shuffled(n, random());
        out.assign(rows.size() * k, {});
        pairs.nearest_across(points.view(), rows, group, k, out);
        expect_same(out, across(points, rows, group, k));
    }
}

TEST_P(PairsOfCodec, TakeNoMoreThanTheySay) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, 1);
    struct Counter {
        test::TestArena memory;
        std::size_t n_bytes = 0;
    } counter;
    Arena arena(&counter, [](void* owner, std::size_t n_bytes) -> void* {
        auto* self = static_cast<Counter*>(owner);
        self->n_bytes += (n_bytes + Arena::kAlignment - 1) / Arena::kAlignment * Arena::kAlignment;
        return self->memory.arena().allocate<std::uint8_t>(n_bytes).data();
    });
    for (const std::size_t max_group : {1, 33, 1000})
        for (const std::size_t max_k : {1, 16, 31}) {
            counter.n_bytes = 0;
            GroupPairs pairs(arena, points.codec(), max_group, max_k);
            const std::size_t said = GroupPairs::bytes_needed(points.codec(), max_group, max_k);
            EXPECT_LE(counter.n_bytes, said);
            EXPECT_GE(counter.n_bytes + counter.n_bytes / 4 + 4096, said);
        }
}

TEST(PointsTest, ChunksHoldWhatFits) {
    EXPECT_EQ(chunk_shift_for(400, 256 << 20), 19u);
    EXPECT_EQ(chunk_shift_for(1 << 10, 1 << 20), 10u);
    EXPECT_EQ(chunk_shift_for(1 << 10, (1 << 20) - 1), 9u);
    EXPECT_EQ(chunk_shift_for(100, 100), 0u);
}

}  // namespace
}  // namespace vext::core
