// The codec of sparse vectors: codes that have room for all entries give the operators' distances,
// others bounds that hold; damaged ones neither mislead nor are read beyond their end.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <tuple>
#include <vector>

#include "core/codec/codec.h"
#include "core/distance/sparse.h"
#include "test_arena.h"

namespace vext::core {
namespace {

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1};

struct Sparse {
    std::int32_t n_dims;
    std::vector<std::int32_t> indices;
    std::vector<float> values;

    Sparse(std::int32_t dims, const std::map<std::int32_t, float>& entries) : n_dims(dims) {
        for (const auto& [index, value] : entries) {
            indices.push_back(index);
            values.push_back(value);
        }
    }
    SparseView
    view() const {
        return {n_dims, indices, values};
    }
    std::vector<float>
    packed() const {
        std::vector<float> floats(packed_sparse_size(indices.size()));
        pack_sparse(view(), floats.data());
        return floats;
    }
};

/// As the SQL operator has it.
double
operator_distance(Metric metric, const Sparse& a, const Sparse& b) {
    switch (metric) {
        case Metric::kInnerProduct:
            return -static_cast<double>(sparse_inner_product(a.view(), b.view()));
        case Metric::kL1:
            return sparse_l1(a.view(), b.view());
        case Metric::kCosine: {
            const CosineParts parts = sparse_cosine_parts(a.view(), b.view());
            const double norms = std::sqrt(static_cast<double>(parts.squared_norm_a) *
                                           static_cast<double>(parts.squared_norm_b));
            return 1 - std::clamp(static_cast<double>(parts.dot) / norms, -1.0, 1.0);
        }
        default:
            return std::sqrt(static_cast<double>(sparse_l2_squared(a.view(), b.view())));
    }
}

/// As a scan gives it to the executor.
double
operator_bound(Metric metric, float bound) {
    return std::nextafter(to_operator_distance(metric, bound), -HUGE_VAL);
}

struct Record {
    CodeHeader header;
    std::unique_ptr<std::uint8_t[]> code;  // of its exact size
};

class Tester {
   public:
    Tester(Metric metric, std::int32_t n_dims, std::size_t n_entries)
        : codec_(CodecKind::kSparse, metric, static_cast<std::size_t>(n_dims), nullptr, nullptr,
                 n_entries),
          prepared_(codec_.allocate_prepared(memory_.arena())),
          query_(codec_.allocate_query(memory_.arena())) {}

    const Codec&
    codec() const {
        return codec_;
    }
    Query&
    query() {
        return query_;
    }
    PrepareStatus
    prepare(const Sparse& vector) {
        packed_ = vector.packed();
        return codec_.prepare(packed_.data(), prepared_);
    }
    Record
    encode(const Sparse& vector) {
        EXPECT_EQ(prepare(vector), PrepareStatus::kReady);
        Record record = {{}, std::make_unique<std::uint8_t[]>(codec_.code_bytes())};
        std::memset(record.code.get(), 0xa5, codec_.code_bytes());
        codec_.encode(prepared_, record.header, record.code.get(), nullptr);
        EXPECT_STREQ(codec_.check(record.header, record.code.get()), nullptr);
        return record;
    }
    void
    search_for(const Sparse& vector) {
        prepare(vector);
        codec_.prepare_query(prepared_, query_);
    }
    void
    search_for(const Record& record) {
        codec_.query_from_code(record.header, record.code.get(), query_);
    }
    float
    distance(const Record& record) const {
        return codec_.distance(query_, record.header, record.code.get());
    }
    Refined
    refine(const Record& record) const {
        return codec_.refine(query_, record.header, record.code.get(), nullptr);
    }
    float
    error(const Record& record) const {
        return codec_.estimate_error(query_, record.header);
    }

   private:
    test::TestArena memory_;
    Codec codec_;
    Prepared prepared_;
    Query query_;
    std::vector<float> packed_;
};

class Source {
   public:
    explicit Source(std::uint64_t seed) : random_(seed) {}

    /// Low indices come more often, so that vectors share some.
    Sparse
    vector(std::int32_t n_dims, std::size_t n_entries, float scale = 1) {
        std::normal_distribution<float> normal;
        std::uniform_real_distribution<double> uniform;
        std::map<std::int32_t, float> entries;
        while (entries.size() < n_entries) {
            const auto index = static_cast<std::int32_t>(n_dims * std::pow(uniform(random_), 4.0));
            const float value = scale * normal(random_);
            if (value != 0)
                entries[std::min(index, n_dims - 1)] = value;
        }
        return Sparse(n_dims, entries);
    }
    /// Some entries changed.
    Sparse
    near(const Sparse& other) {
        std::map<std::int32_t, float> entries;
        for (std::size_t i = 0; i < other.indices.size(); ++i)
            entries[other.indices[i]] = other.values[i] * (random_() % 8 == 0 ? 1.5f : 1.f);
        return Sparse(other.n_dims, entries);
    }
    std::uint64_t
    operator()() {
        return random_();
    }

   private:
    std::mt19937_64 random_;
};

using Shape = std::tuple<Metric, std::int32_t>;

class SparseCodecTest : public testing::TestWithParam<Shape> {
   protected:
    static Metric
    metric() {
        return std::get<0>(GetParam());
    }
    static std::int32_t
    n_dims() {
        return std::get<1>(GetParam());
    }
    static std::size_t
    few(std::size_t n) {
        return std::min<std::size_t>(n, static_cast<std::size_t>(n_dims()));
    }
};

INSTANTIATE_TEST_SUITE_P(Shapes, SparseCodecTest,
                         testing::Combine(testing::ValuesIn(kMetrics),
                                          testing::Values(1, 7, 300, 30522, 65536, 65537,
                                                          1'000'000'000)));

TEST_P(SparseCodecTest, SizesTellTheRoom) {
    for (const std::size_t n : {1u, 2u, 250u, 1000u, 2048u}) {
        const std::size_t dims = static_cast<std::size_t>(n_dims());
        const CodecSizes sizes = codec_sizes(CodecKind::kSparse, dims, n);
        EXPECT_EQ(sizes.code_bytes, 12 + n * (dims <= 65536 ? 6 : 8));
        EXPECT_EQ(sizes.residual_bytes, 0u);
        EXPECT_TRUE(sizes.has_inline_error);
        EXPECT_EQ(n_sparse_entries(dims, sizes.code_bytes), n);
        EXPECT_EQ(n_sparse_entries(dims, sizes.code_bytes + 2), 0u);
    }
}

TEST_P(SparseCodecTest, MeasuresAsTheOperator) {
    Tester tester(metric(), n_dims(), few(200));
    Tester other_way(metric(), n_dims(), few(200));
    Source source(3);
    for (int i = 0; i < 60; ++i) {
        const Sparse a = source.vector(n_dims(), few(1 + source() % 200), i % 9 == 0 ? 1e-9f : 1);
        const Sparse b = i % 5 == 0   ? a
                         : i % 5 == 1 ? source.near(a)
                                      : source.vector(n_dims(), few(1 + source() % 200));
        const Record record_a = tester.encode(a);
        const Record record_b = tester.encode(b);
        EXPECT_EQ(record_a.header.error, 0);
        EXPECT_EQ(record_a.header.factor, 1);
        const double exact = operator_distance(metric(), a, b);
        tester.search_for(a);
        const float from_query = tester.distance(record_b);
        const double told = to_operator_distance(metric(), from_query);
        EXPECT_NEAR(told, exact, 1e-6 * (std::fabs(exact) + (metric() == Metric::kCosine ? 1 : 0)));
        EXPECT_EQ(tester.error(record_b), 0);
        const Refined refined = tester.refine(record_b);
        EXPECT_NEAR(refined.distance, from_query, 1e-6 * std::fabs(from_query));
        EXPECT_LE(operator_bound(metric(), refined.lower_bound), exact);
        if (metric() != Metric::kCosine && i % 9 != 0 && exact > 1e-3) {
            EXPECT_GE(to_operator_distance(metric(), refined.lower_bound), exact * (1 - 1e-5));
        }
        // From codes, the same both ways.
        tester.search_for(record_a);
        other_way.search_for(record_b);
        EXPECT_EQ(tester.distance(record_b), other_way.distance(record_a));
        EXPECT_NEAR(tester.distance(record_b), from_query, 1e-6 * std::fabs(from_query) + 1e-6);
        if (i % 5 == 0 && metric() != Metric::kInnerProduct) {
            EXPECT_NEAR(tester.distance(record_b), 0, 1e-12);
        }
    }
}

TEST_P(SparseCodecTest, BoundsHoldForWhatIsLeftOut) {
    Source source(4);
    for (const std::size_t room : {1u, 3u, 40u}) {
        Tester tester(metric(), n_dims(), few(room));
        for (int i = 0; i < 100; ++i) {
            const float scale = i % 7 == 0 ? 1e-12f : i % 7 == 1 ? 1e12f : 1.f;
            const Sparse a = source.vector(n_dims(), few(1 + source() % 100), scale);
            const Sparse b = i % 4 == 0   ? a
                             : i % 4 == 1 ? source.near(a)
                                          : source.vector(n_dims(), few(source() % 100 + 1));
            const Record record = tester.encode(a);
            tester.search_for(b);
            const double exact = operator_distance(metric(), b, a);
            const Refined refined = tester.refine(record);
            EXPECT_LE(operator_bound(metric(), refined.lower_bound), exact)
                << "room " << room << " row " << i;
            if (record.header.error > 0) {
                EXPECT_GT(tester.error(record), 0);
            }
            // The vector itself is at its place, as far as it is told from its code.
            if (i % 4 == 0 && metric() == Metric::kL2) {
                EXPECT_NEAR(refined.distance, 0, 1e-5 * record.header.offset);
            }
        }
    }
}

TEST(SparseCodec, KeepsTheLargestEntries) {
    Tester tester(Metric::kL2, 100, 3);
    const Sparse vector(100, {{1, 0.5f}, {2, -4.f}, {7, 1.f}, {8, -1.f}, {9, 1.f}, {90, 2.f}});
    const Record record = tester.encode(vector);
    const Record kept = tester.encode(Sparse(100, {{2, -4.f}, {7, 1.f}, {90, 2.f}}));
    EXPECT_EQ(std::memcmp(record.code.get(), kept.code.get(), tester.codec().code_bytes()), 0);
    EXPECT_NEAR(record.header.error, std::sqrt(0.25 + 1 + 1), 1e-6);
    EXPECT_GE(record.header.error, std::sqrt(0.25 + 1 + 1));
    EXPECT_FLOAT_EQ(record.header.offset, 23.25f);
    EXPECT_FLOAT_EQ(record.header.factor, 23.25f / 21);
}

TEST(SparseCodec, EmptyVectors) {
    const Sparse empty(10, {});
    const Sparse one(10, {{3, 2.f}});
    for (const Metric metric : kMetrics) {
        Tester tester(metric, 10, 4);
        if (metric == Metric::kCosine) {
            EXPECT_EQ(tester.prepare(empty), PrepareStatus::kZeroVector);
            continue;
        }
        const Record record = tester.encode(empty);
        tester.search_for(empty);
        EXPECT_EQ(tester.distance(record), 0);
        tester.search_for(one);
        const double distance = to_operator_distance(metric, tester.distance(record));
        EXPECT_EQ(std::fabs(distance), std::fabs(operator_distance(metric, one, empty)));
    }
}

TEST(SparseCodec, NormsBeyondFloat) {
    const Sparse large(10, {{3, 3e38f}, {4, 3e38f}});
    const Sparse small(10, {{3, 1.f}});
    for (const Metric metric : kMetrics) {
        Tester tester(metric, 10, 4);
        EXPECT_EQ(tester.prepare(large), PrepareStatus::kOverflow);
        const Record record = tester.encode(small);
        tester.search_for(large);
        const Refined refined = tester.refine(record);
        EXPECT_FALSE(std::isnan(tester.distance(record)));
        EXPECT_LE(refined.lower_bound, 0);
    }
    // By cosine too short for the operator's float32.
    Tester tester(Metric::kCosine, 10, 4);
    const Record record = tester.encode(Sparse(10, {{3, 1e-20f}}));
    tester.search_for(small);
    EXPECT_EQ(tester.refine(record).lower_bound, 0);
}

TEST(SparseCodec, AnyValueHasADirection) {
    for (const Metric metric : kMetrics) {
        Tester tester(metric, 10, 4);
        std::vector<float> value(tester.codec().n_any_values());
        tester.codec().any_value(value.data());
        EXPECT_EQ(tester.codec().value_at(value.data()).size(), value.size());
        EXPECT_EQ(tester.codec().dims_of(value), tester.codec().expected_dims());
        test::TestArena memory;
        Prepared prepared = tester.codec().allocate_prepared(memory.arena());
        EXPECT_EQ(tester.codec().prepare(value.data(), prepared), PrepareStatus::kReady);
    }
}

TEST(SparseCodec, QueriesMayHaveMoreEntriesThanCodes) {
    Source source(5);
    Tester tester(Metric::kInnerProduct, 1'000'000, 20);
    const Sparse query = source.vector(1'000'000, kMaxSparseEntries);
    tester.search_for(query);
    for (int i = 0; i < 20; ++i) {
        const Sparse row = source.vector(1'000'000, 20);
        Tester encoder(Metric::kInnerProduct, 1'000'000, 20);
        const Record record = encoder.encode(row);
        const double exact = operator_distance(Metric::kInnerProduct, row, query);
        EXPECT_NEAR(tester.distance(record), exact, 1e-5 * (1 + std::fabs(exact)));
    }
}

// --- damage ---

TEST_P(SparseCodecTest, AnyBytesGiveNumbers) {
    Source source(6);
    Tester tester(metric(), n_dims(), few(60));
    const Sparse vector = source.vector(n_dims(), few(50));
    const Record sound = tester.encode(vector);
    std::vector<float> decoded(tester.codec().n_padded());
    for (int i = 0; i < 400; ++i) {
        Record record = {sound.header,
                         std::make_unique<std::uint8_t[]>(tester.codec().code_bytes())};
        std::memcpy(record.code.get(), sound.code.get(), tester.codec().code_bytes());
        const std::size_t n_damaged = i % 2 == 0 ? tester.codec().code_bytes() : 1 + source() % 4;
        for (std::size_t j = 0; j < n_damaged; ++j) {
            const std::size_t place = i % 2 == 0 ? j : source() % tester.codec().code_bytes();
            record.code[place] = static_cast<std::uint8_t>(source());
        }
        if (i % 3 == 0) {
            const std::uint64_t bits[] = {source(), source()};
            std::memcpy(&record.header, bits, sizeof(record.header));
        }
        tester.search_for(vector);
        EXPECT_FALSE(std::isnan(tester.distance(record)));
        EXPECT_FALSE(std::isnan(tester.error(record)));
        const Refined refined = tester.refine(record);
        EXPECT_FALSE(std::isnan(refined.distance) || std::isnan(refined.lower_bound));
        tester.search_for(record);
        EXPECT_FALSE(std::isnan(tester.distance(sound)));
        EXPECT_FALSE(std::isnan(tester.distance(record)));
        EXPECT_FALSE(std::isnan(tester.error(sound)));
        tester.codec().decode(record.header, record.code.get(), nullptr, decoded.data());
        tester.codec().check(record.header, record.code.get());
    }
}

TEST(SparseCodec, CheckSeesDamage) {
    Source source(7);
    Tester tester(Metric::kL2, 1000, 20);
    const Record sound = tester.encode(source.vector(1000, 10));
    const auto expect_seen = [&](const char* what, auto&& damage) {
        Record record = {sound.header,
                         std::make_unique<std::uint8_t[]>(tester.codec().code_bytes())};
        std::memcpy(record.code.get(), sound.code.get(), tester.codec().code_bytes());
        damage(record);
        EXPECT_NE(tester.codec().check(record.header, record.code.get()), nullptr) << what;
    };
    const auto put = [](std::size_t place, auto value) {
        return [=](Record& record) { std::memcpy(&record.code[place], &value, sizeof(value)); };
    };
    constexpr std::size_t kIndices = 12 + 10 * 4;
    expect_seen("norm", put(0, 1.0));
    expect_seen("number", put(8, std::uint32_t{21}));
    expect_seen("number", put(8, std::uint32_t{9}));
    expect_seen("number", put(8, std::uint32_t{0xffffffff}));
    expect_seen("value", put(12, 0.f));
    expect_seen("value", put(16, HUGE_VALF));
    expect_seen("value", put(16, std::nanf("")));
    expect_seen("value", put(16, 77.f));
    expect_seen("index", put(kIndices + 2, std::uint16_t{0}));
    expect_seen("index", put(kIndices + 18, std::uint16_t{1000}));
    expect_seen("unused bytes", put(kIndices + 20, std::uint16_t{1}));
    expect_seen("factor", [](Record& record) { record.header.factor = 0.5f; });
    expect_seen("factor", [](Record& record) { record.header.factor = std::nanf(""); });
}

}  // namespace
}  // namespace vext::core
