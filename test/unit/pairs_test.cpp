// The pairs of a group against distances computed one by one, for every codec, metric and CPU
// level.

#include "core/batch/pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "core/distance/dispatch.h"
#include "test_arena.h"

namespace vext::core {
namespace {

using Ids = std::vector<std::uint32_t>;
using Nears = std::vector<Near>;

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
        for (std::uint32_t i = 0; i < n; ++i) {
            const std::vector<float> vector = random_vector(n_dims, 1);
            EXPECT_EQ(codec_.prepare(vector.data(), prepared), PrepareStatus::kReady);
            CodeHeader header;
            codec_.encode(prepared, header, view_.record(i) + sizeof(header), residual.data());
            std::memcpy(view_.record(i), &header, sizeof(header));
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
    copy(std::uint32_t from, std::uint32_t to) {
        std::memcpy(view_.record(to), view_.record(from), view_.stride);
    }
    void
    set_offset(std::uint32_t i, float offset) {
        CodeHeader header = view_.header(i);
        header.offset = offset;
        std::memcpy(view_.record(i), &header, sizeof(header));
    }

    /// Twice the centred level of a dimension.
    int
    level(std::uint32_t i, std::size_t dim) const {
        const std::uint8_t* code = view_.code(i);
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
    distance(std::uint32_t a, std::uint32_t b) {
        if (codec_.kind() == CodecKind::kExact || codec_.kind() == CodecKind::kPlain8) {
            Query query = codec_.allocate_query(memory_.arena());
            codec_.query_from_code(view_.header(a), view_.code(a), query);
            const double distance = codec_.distance(query, view_.header(b), view_.code(b));
            return {distance, 1e-6 * (1 + std::fabs(distance))};
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
    Ids ids(n);
    std::iota(ids.begin(), ids.end(), 0);
    std::shuffle(ids.begin(), ids.end(), std::mt19937_64(seed));
    return ids;
}

Nears
within(const Points& points, const Ids& members, std::size_t k) {
    test::TestArena memory;
    GroupPairs pairs(memory.arena(), points.codec(), std::max<std::size_t>(members.size(), 1), k);
    Nears out(members.size() * k);
    pairs.nearest_within(points.view(), members, k, out);
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
        for (const std::uint32_t row : rows)
            for (const std::uint32_t column : columns)
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
    check_row(std::size_t r, std::span<const Near> nears) const {
        std::vector<double> sorted;
        std::vector<std::size_t> position(1 + *std::max_element(columns_.begin(), columns_.end()),
                                          columns_.size());
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            if (columns_[c] == rows_[r])
                continue;
            sorted.push_back(at(r, c).distance);
            position[columns_[c]] = c;
        }
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t i = 0; i < nears.size(); ++i) {
            if (i >= sorted.size()) {
                ASSERT_EQ(nears[i].id, kNoNode);
                ASSERT_EQ(nears[i].distance, kInfinity);
                continue;
            }
            ASSERT_LT(nears[i].id, position.size());
            const std::size_t c = position[nears[i].id];
            ASSERT_LT(c, columns_.size()) << "row " << r << " has " << nears[i].id << " again";
            position[nears[i].id] = columns_.size();
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
    constexpr const char* kNames[] = {"L2", "InnerProduct", "Cosine", "L1"};
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
    return shapes;
}

TEST_P(PairsTest, WithinIsNearest) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, n + 5);
    Ids members = shuffled(n + 5);
    members.resize(n);
    const Model model(points, members, members);
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        for (const std::size_t k : {1, 16, 40})
            ASSERT_NO_FATAL_FAILURE(model.check(within(points, members, k), k));
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
    {Metric::kL2, 20, 150},  {Metric::kL2, 70, 150},
    {Metric::kL2, 300, 150}, {Metric::kInnerProduct, 300, 150},
    {Metric::kL1, 70, 150},
};
INSTANTIATE_TEST_SUITE_P(Codecs, PairsOfCodec, testing::ValuesIn(kOneOfEachCodec), name_of);

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
    const Ids members = shuffled(n);
    for (const SimdLevel level : supported_levels()) {
        select_simd_level(level);
        const Nears out = within(points, members, 8);
        for (std::size_t i = 0; i < out.size(); ++i) {
            const CodeHeader& header = points.view().header(members[i / 8]);
            codec.query_from_code(header, points.view().code(members[i / 8]), query);
            const float distance = codec.distance(query, points.view().header(out[i].id),
                                                  points.view().code(out[i].id));
            ASSERT_NEAR(
                out[i].distance, distance,
                (is_scalar8 ? 0.01 : 2e-6) * (1 + std::fabs(header.offset) + std::fabs(distance)));
        }
    }
}

TEST_P(PairsOfScalarCodec, DoNotDependOnOrderOrRole) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, n);
    const std::size_t k = 9;
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        const Ids members = shuffled(n);
        const Nears out = within(points, members, k);
        expect_same(out, across(points, members, members, k));
        const Ids others = shuffled(n, 3);
        const Nears other_out = within(points, others, k);
        for (std::size_t i = 0; i < n; ++i) {
            const auto place = std::find(others.begin(), others.end(), members[i]) - others.begin();
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
    for (std::uint32_t i = 1; i < n; ++i)
        points.copy(0, i);
    const std::size_t k = 7;
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        const Ids members = shuffled(n);
        for (const Nears& out : {within(points, members, k), across(points, members, members, k)})
            for (std::size_t i = 0; i < out.size(); ++i) {
                const std::size_t rank = i % k;
                ASSERT_EQ(out[i].id, rank < members[i / k] ? rank : rank + 1);
            }
    }
}

TEST_P(PairsOfScalarCodec, NotFiniteIsNeverPicked) {
    const auto [metric, n_dims, n] = GetParam();
    Points points(metric, n_dims, 40);
    points.set_offset(7, kInfinity);
    points.set_offset(8, -kInfinity);
    points.set_offset(9, kNan);
    for (const SimdLevel level : supported_levels()) {
        SCOPED_TRACE(kernels_of(level).name);
        select_simd_level(level);
        const Ids members = shuffled(40);
        const std::size_t k = 39;
        for (const Nears& out : {within(points, members, k), across(points, members, members, k)})
            for (std::size_t i = 0; i < out.size(); ++i) {
                const bool is_damaged = members[i / k] >= 7 && members[i / k] <= 9;
                ASSERT_EQ(out[i].id == kNoNode, is_damaged || i % k >= 36);
                ASSERT_FALSE(out[i].id >= 7 && out[i].id <= 9);
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
        Ids members = shuffled(n, random());
        members.resize(random() % 101);
        const std::size_t k = 1 + random() % 20;
        Nears out(members.size() * k);
        pairs.nearest_within(points.view(), members, k, out);
        expect_same(out, within(points, members, k));
        const Ids rows = shuffled(n, random());
        out.assign(rows.size() * k, {});
        pairs.nearest_across(points.view(), rows, members, k, out);
        expect_same(out, across(points, rows, members, k));
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

class TilesTest : public testing::TestWithParam<SimdLevel> {
   protected:
    const Kernels& table_ = kernels_of(GetParam());
    std::mt19937_64 random_{11};
};
INSTANTIATE_TEST_SUITE_P(Levels, TilesTest, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return std::string(kernels_of(info.param).name); });

/// Products of random levels, or of the largest in magnitude.
template <typename TileProducts>
void
check_products(TileProducts tile_products, int bits, bool is_extreme, std::mt19937_64& random) {
    const int half = 1 << (bits - 1);
    for (const std::size_t n : {16, 32, 48, 496, 512, 528, 1040, 1536, 8000}) {
        std::vector<std::uint8_t> rows(n * kTileRows);
        std::vector<std::int8_t> columns(n * kTileColumns);
        for (std::uint8_t& level : rows)
            level = static_cast<std::uint8_t>(is_extreme ? 2 * half - 1 : random() % (2 * half));
        for (std::int8_t& level : columns)
            level = static_cast<std::int8_t>(
                is_extreme ? -half : static_cast<int>(random() % (2 * half)) - half);
        std::vector<std::int32_t> products(kTileRows * kTileColumns, -1);
        tile_products(rows.data(), columns.data(), n, products.data());
        for (std::size_t r = 0; r < kTileRows; ++r)
            for (std::size_t c = 0; c < kTileColumns; ++c) {
                std::int32_t expected = 0;
                for (std::size_t i = 0; i < n; ++i)
                    expected += rows[r * n + i] * columns[(i / 4 * kTileColumns + c) * 4 + i % 4];
                ASSERT_EQ(products[r * kTileColumns + c], expected) << n << ' ' << r << ' ' << c;
            }
    }
}

TEST_P(TilesTest, ProductsAreExact) {
    for (const bool is_extreme : {false, true}) {
        check_products(table_.tile_products4, 4, is_extreme, random_);
        check_products(table_.tile_products8, 8, is_extreme, random_);
    }
}

TEST_P(TilesTest, DistancesAndPicks) {
    std::vector<std::int32_t> products(kTileRows * kTileColumns);
    for (std::int32_t& product : products)
        product = static_cast<std::int32_t>(random_() % 2000) - 1000;
    struct Side {
        std::vector<float> factors, offsets, limits;
        std::vector<std::int32_t> biases;
    } sides[2];
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (Side& side : sides)
        for (std::size_t i = 0; i < (&side == sides ? kTileRows : kTileColumns); ++i) {
            side.factors.push_back(uniform(random_));
            side.offsets.push_back(uniform(random_) * 1000);
            side.limits.push_back(uniform(random_) * 1000);
            side.biases.push_back(static_cast<std::int32_t>(random_() % 2000) - 1000);
        }
    sides[0].limits[3] = std::numeric_limits<float>::max();
    sides[1].offsets[5] = kInfinity;
    sides[1].offsets[6] = kNan;
    sides[1].limits[9] = -kInfinity;
    const auto side_of = [](const Side& side) {
        return TileSide{side.factors.data(), side.offsets.data(), side.biases.data(),
                        side.limits.data()};
    };
    TilePicks picks;
    EXPECT_TRUE(
        table_.tile_distances(products.data(), side_of(sides[0]), side_of(sides[1]), -0.5f, picks));
    for (std::size_t r = 0; r < kTileRows; ++r)
        for (std::size_t c = 0; c < kTileColumns; ++c) {
            const std::size_t i = r * kTileColumns + c;
            const double expected = static_cast<double>(sides[0].offsets[r]) + sides[1].offsets[c] -
                                    0.5 * sides[0].factors[r] * sides[1].factors[c] *
                                        (2 * products[i] + sides[0].biases[r] + sides[1].biases[c]);
            const float distance = picks.distances[i];
            if (std::isfinite(expected)) {
                ASSERT_NEAR(distance, expected, 1e-3);
            } else {
                ASSERT_FALSE(std::isfinite(distance));
            }
            ASSERT_EQ(picks.near_rows[r] >> c & 1, distance <= sides[0].limits[r] ? 1u : 0u);
            ASSERT_EQ(picks.near_columns[r] >> c & 1, distance <= sides[1].limits[c] ? 1u : 0u);
        }
    for (Side& side : sides)
        std::fill(side.limits.begin(), side.limits.end(), -kInfinity);
    EXPECT_FALSE(
        table_.tile_distances(products.data(), side_of(sides[0]), side_of(sides[1]), -0.5f, picks));
}

TEST_P(TilesTest, SortKeys) {
    for (const std::size_t n : {16, 32, 48, 64, 80, 208}) {
        std::vector<std::int64_t> keys(n);
        for (std::int64_t& key : keys)
            key = static_cast<std::int64_t>(random_());
        keys[2] = std::numeric_limits<std::int64_t>::min();
        std::fill(keys.end() - 5, keys.end(), std::numeric_limits<std::int64_t>::max());
        std::vector<std::int64_t> sorted(n);
        table_.sort_keys(keys.data(), n, sorted.data());
        std::sort(keys.begin(), keys.end());
        for (std::size_t i = 0; i < n - 4; ++i)
            ASSERT_EQ(sorted[i], keys[i]) << n << ' ' << i;
    }
}

}  // namespace
}  // namespace vext::core
