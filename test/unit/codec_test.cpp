#include "core/codec/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/codec/levels.h"
#include "core/distance/dispatch.h"
#include "test_arena.h"

namespace vext::core {
namespace {

using Vector = std::vector<float>;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1};
constexpr std::size_t kLengths[] = {1, 2, 3, 16, 17, 32, 33, 128, 256, 257, 768, 8000};
constexpr float kInfinite = std::numeric_limits<float>::infinity();

Vector
random_vector(std::size_t n_dims, std::mt19937_64& random, float scale = 1) {
    std::normal_distribution<float> normal;
    Vector vector(n_dims);
    for (float& x : vector)
        x = scale * normal(random);
    return vector;
}

Vector
sum_of(const Vector& a, const Vector& b) {
    Vector sum = a;
    for (std::size_t i = 0; i < a.size(); i++)
        sum[i] += b[i];
    return sum;
}

double
dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); i++)
        sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

/// In the operator's units, in float64.
double
exact_distance(Metric metric, const Vector& a, const Vector& b) {
    double sum = 0;
    switch (metric) {
        case Metric::kL2:
            for (std::size_t i = 0; i < a.size(); i++)
                sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
            return std::sqrt(sum);
        case Metric::kL1:
            for (std::size_t i = 0; i < a.size(); i++)
                sum += std::fabs(static_cast<double>(a[i]) - b[i]);
            return sum;
        case Metric::kInnerProduct:
            return -dot(a, b);
        case Metric::kCosine:
        case Metric::kHamming:
        case Metric::kJaccard:
            break;
    }
    return 1 - std::clamp(dot(a, b) / std::sqrt(dot(a, a) * dot(b, b)), -1.0, 1.0);
}

/// As the SQL operator computes it.
double
operator_distance(Metric metric, const Vector& a, const Vector& b) {
    const std::size_t n = a.size();
    switch (metric) {
        case Metric::kL2:
            return std::sqrt(static_cast<double>(kernels().l2_squared(a.data(), b.data(), n)));
        case Metric::kL1:
            return kernels().l1(a.data(), b.data(), n);
        case Metric::kInnerProduct:
            return -kernels().inner_product(a.data(), b.data(), n);
        case Metric::kCosine:
        case Metric::kHamming:
        case Metric::kJaccard:
            break;
    }
    const CosineParts parts = kernels().cosine_parts(a.data(), b.data(), n);
    const double similarity = parts.dot / std::sqrt(static_cast<double>(parts.squared_norm_a) *
                                                    static_cast<double>(parts.squared_norm_b));
    return 1 - std::clamp(similarity, -1.0, 1.0);
}

struct Record {
    CodeHeader header;
    std::vector<std::uint8_t> code;
    std::vector<std::uint8_t> residual;

    const std::uint8_t*
    rest() const {
        return residual.empty() ? nullptr : residual.data();
    }
};

/// A centroid as an index would choose it: the mean of vectors around `centre`, which cosine
/// normalises.
Vector
centroid_of(Metric metric, Vector centre) {
    if (metric == Metric::kCosine) {
        const double norm = std::sqrt(dot(centre, centre));
        for (float& x : centre)
            x = static_cast<float>(0.7 * x / norm);
    }
    return centre;
}

/// A codec with the memory it works in.
class CodecTester {
   public:
    CodecTester(Metric metric, std::size_t n_dims, Vector centroid = {}, std::uint64_t seed = 1)
        : centroid_(centroid.empty() ? Vector(n_dims) : std::move(centroid)),
          rotation_(memory_.arena(), n_dims, seed),
          codec_(codec_for(metric, n_dims), metric, n_dims, centroid_.data(), &rotation_),
          prepared_(codec_.allocate_prepared(memory_.arena())),
          query_(codec_.allocate_query(memory_.arena())) {}

    const Codec&
    codec() const {
        return codec_;
    }

    PrepareStatus
    prepare(const Vector& vector) {
        return codec_.prepare(vector.data(), prepared_);
    }

    PrepareStatus
    judge(const Vector& vector) {
        return codec_.judge(vector.data(), prepared_);
    }

    Record
    encode(const Vector& vector) {
        EXPECT_EQ(prepare(vector), PrepareStatus::kReady);
        Record record = {{}, bytes(codec_.code_bytes()), bytes(codec_.residual_bytes())};
        codec_.encode(prepared_, record.header, record.code.data(),
                      record.residual.empty() ? nullptr : record.residual.data());
        if (!codec_.has_inline_error())  // such a record has no room for it
            record.header.error = std::numeric_limits<float>::quiet_NaN();
        return record;
    }

    const Query&
    query(const Vector& vector) {
        EXPECT_NE(prepare(vector), PrepareStatus::kZeroVector);
        codec_.prepare_query(prepared_, query_);
        return query_;
    }

    const Query&
    query(const Record& record) {
        codec_.query_from_code(record.header, record.code.data(), query_);
        return query_;
    }

    /// In internal units.
    float
    distance(const Query& query, const Record& record) const {
        return codec_.distance(query, record.header, record.code.data());
    }
    float
    estimate_error(const Query& query, const Record& record) const {
        return codec_.estimate_error(query, record.header);
    }
    Refined
    refine(const Query& query, const Record& record) const {
        return codec_.refine(query, record.header, record.code.data(), record.rest());
    }
    double
    in_units(float distance) const {
        return to_operator_distance(codec_.metric(), distance);
    }

    Vector
    decode(const Record& record) const {
        Vector values(codec_.n_padded());
        codec_.decode(record.header, record.code.data(), record.rest(), values.data());
        return values;
    }
    Vector
    prepared(const Vector& vector) {
        EXPECT_EQ(prepare(vector), PrepareStatus::kReady);
        return Vector(prepared_.values, prepared_.values + codec_.n_padded());
    }

   private:
    static std::vector<std::uint8_t>
    bytes(std::size_t n) {
        return std::vector<std::uint8_t>(n, 0xa5);
    }

    test::TestArena memory_;
    Vector centroid_;
    Rotation rotation_;
    Codec codec_;
    Prepared prepared_;
    Query query_;
};

/// Distances are told apart on this scale: what an error of a small part of it does to the order is
/// of no consequence.
double
scale_of(Metric metric, const Vector& a, const Vector& b) {
    if (metric == Metric::kCosine)
        return 1;
    if (metric == Metric::kL1)
        return kernels().l1(a.data(), Vector(a.size()).data(), a.size()) +
               kernels().l1(b.data(), Vector(b.size()).data(), b.size());
    const double norms[] = {std::sqrt(dot(a, a)), std::sqrt(dot(b, b))};
    return metric == Metric::kL2 ? norms[0] + norms[1] : norms[0] * norms[1];
}

std::string
describe(Metric metric, std::size_t n_dims) {
    return "metric " + std::to_string(static_cast<int>(metric)) + ", " + std::to_string(n_dims) +
           " dims";
}

std::vector<SimdLevel>
supported_levels() {
    std::vector<SimdLevel> levels;
    for (SimdLevel level :
         {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512, SimdLevel::kNeon})
        if (is_supported(level))
            levels.push_back(level);
    return levels;
}

class CodecTest : public testing::Test {
   protected:
    void
    SetUp() override {
        select_simd_level(SimdLevel::kAuto);
    }

    std::mt19937_64 random_{20};
};

TEST_F(CodecTest, IsChosenByMetricAndLength) {
    EXPECT_EQ(codec_for(Metric::kL1, 32), CodecKind::kExact);
    EXPECT_EQ(codec_for(Metric::kL1, 33), CodecKind::kPlain8);
    EXPECT_EQ(codec_for(Metric::kL1, 800), CodecKind::kPlain8);
    for (Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
        EXPECT_EQ(codec_for(metric, 32), CodecKind::kExact);
        EXPECT_EQ(codec_for(metric, 33), CodecKind::kScalar8);
        EXPECT_EQ(codec_for(metric, 256), CodecKind::kScalar8);
        EXPECT_EQ(codec_for(metric, 257), CodecKind::kScalar4);
    }
}

TEST_F(CodecTest, HasTheSizesOfTheFormat) {
    const auto expect = [](Metric metric, std::size_t n_dims, std::size_t code,
                           std::size_t residual, bool has_error) {
        const CodecTester tester(metric, n_dims);
        EXPECT_EQ(tester.codec().code_bytes(), code);
        EXPECT_EQ(tester.codec().residual_bytes(), residual);
        EXPECT_EQ(tester.codec().has_inline_error(), has_error);
    };
    expect(Metric::kL2, 3, 12, 0, false);
    expect(Metric::kL2, 100, 112, 0, true);
    expect(Metric::kL2, 768, 384, 780, false);
    expect(Metric::kL2, 770, 392, 796, false);
    expect(Metric::kL1, 100, 100, 0, true);
}

TEST_F(CodecTest, RefinesToTheDistance) {
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : kLengths) {
            const Vector centre = random_vector(n_dims, random_);
            CodecTester tester(metric, n_dims, centroid_of(metric, centre));
            // 8 bits alone err by less than 1 %, 4 and 8 by less than 0.1 %, floats by rounding.
            double limit = 1e-5;
            if (tester.codec().kind() == CodecKind::kScalar4)
                limit = 1e-3;
            else if (tester.codec().kind() != CodecKind::kExact)
                limit = 1e-2;
            for (int round = 0; round < 20; round++) {
                const Vector a = sum_of(centre, random_vector(n_dims, random_));
                const Vector b = sum_of(centre, random_vector(n_dims, random_));
                const Record record = tester.encode(a);
                const double exact = exact_distance(metric, a, b);
                const Refined refined = tester.refine(tester.query(b), record);
                EXPECT_NEAR(tester.in_units(refined.distance), exact,
                            limit * scale_of(metric, a, b))
                    << describe(metric, n_dims);
                EXPECT_LE(refined.lower_bound, refined.distance);
            }
        }
}

TEST_F(CodecTest, KeepsTwelveBitsWithAResidual) {
    for (std::size_t n_dims : {384, 768, 1536}) {
        CodecTester tester(Metric::kL2, n_dims);
        double sum = 0;
        constexpr int kRounds = 200;
        for (int round = 0; round < kRounds; round++) {
            const Vector a = random_vector(n_dims, random_);
            const Vector b = random_vector(n_dims, random_);
            const Record record = tester.encode(a);
            const Refined refined = tester.refine(tester.query(b), record);
            const double exact = exact_distance(Metric::kL2, a, b);
            const double error = tester.in_units(refined.distance) / exact - 1;
            EXPECT_LT(std::fabs(error), 1e-3);
            EXPECT_GT(tester.in_units(refined.lower_bound) / exact, 1 - 5e-3);
            sum += error * error;
        }
        EXPECT_LT(std::sqrt(sum / kRounds), 2e-4) << n_dims;
    }
}

TEST_F(CodecTest, EstimatesProductsAtFourBits) {
    constexpr std::size_t kDims = 768;
    constexpr int kRounds = 2000;
    CodecTester tester(Metric::kInnerProduct, kDims);
    double sum_of_squares = 0;
    for (int round = 0; round < kRounds; round++) {
        const Vector a = random_vector(kDims, random_);
        const Vector b = sum_of(a, random_vector(kDims, random_));
        const Record record = tester.encode(a);
        const double estimate = tester.distance(tester.query(b), record);
        const double error = (estimate + dot(a, b)) / std::sqrt(dot(a, a) * dot(b, b));
        sum_of_squares += error * error;
    }
    EXPECT_LT(std::sqrt(sum_of_squares / kRounds), 0.005);
    EXPECT_GT(std::sqrt(sum_of_squares / kRounds), 0.002) << "too good to be measured right";
}

TEST_F(CodecTest, EstimatesWithoutBias) {
    // Over rotations, for one pair: near (estimates shrink or grow along x) and at random.
    for (std::size_t n_dims : {100, 768}) {
        const Vector a = random_vector(n_dims, random_);
        for (const Vector& b :
             {sum_of(a, random_vector(n_dims, random_, 0.3f)), a, random_vector(n_dims, random_)}) {
            constexpr int kSeeds = 1500;
            double sum = 0;
            double sum_of_squares = 0;
            for (int seed = 0; seed < kSeeds; seed++) {
                CodecTester tester(Metric::kInnerProduct, n_dims, {}, 1000 + seed);
                const Record record = tester.encode(a);
                const double error = tester.distance(tester.query(b), record) + dot(a, b);
                sum += error;
                sum_of_squares += error * error;
            }
            const double mean = sum / kSeeds;
            const double deviation = std::sqrt(sum_of_squares / kSeeds - mean * mean);
            // The levels of query and code are rounded alike where their vectors are alike.
            const double in_common = 2e-5 * std::sqrt(dot(a, a) * dot(b, b));
            EXPECT_LT(std::fabs(mean), 3.3 * deviation / std::sqrt(kSeeds) + in_common) << n_dims;
        }
    }
}

TEST_F(CodecTest, KnowsTheErrorOfItsEstimates) {
    for (Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine})
        for (std::size_t n_dims : {33, 128, 256, 257, 768, 3000}) {
            const Vector centre = random_vector(n_dims, random_);
            CodecTester tester(metric, n_dims, centroid_of(metric, centre));
            constexpr int kRounds = 600;
            double sum_of_squares[2] = {};
            for (int round = 0; round < kRounds; round++) {
                const Vector a = sum_of(centre, random_vector(n_dims, random_));
                const Vector b = sum_of(centre, random_vector(n_dims, random_));
                const double exact = exact_distance(metric, a, b);
                const double internal = metric == Metric::kL2       ? exact * exact
                                        : metric == Metric::kCosine ? 2 * exact
                                                                    : exact;
                const Record records[] = {tester.encode(a), tester.encode(b)};
                for (int from_code = 0; from_code < 2; from_code++) {
                    const Query& query = from_code ? tester.query(records[1]) : tester.query(b);
                    const double error = tester.distance(query, records[0]) - internal;
                    const double ratio = error / tester.estimate_error(query, records[0]);
                    sum_of_squares[from_code] += ratio * ratio;
                }
            }
            for (double sum : sum_of_squares) {
                // Three standard errors, give or take a third of one.
                const double ratio = 3 * std::sqrt(sum / kRounds);
                EXPECT_GT(ratio, 0.6) << describe(metric, n_dims);
                EXPECT_LT(ratio, 1.2) << describe(metric, n_dims);
            }
        }
}

// Rounding a query shifts all vectors of a tight group alike, and may not shift them against what
// another query says of them: links are chosen by comparing the two.
TEST_F(CodecTest, TellsNearVectorsApartFarFromTheCentroid) {
    constexpr double kMostErrors[] = {0.1, 0.2};  // of a distance, by a vector and by a code
    for (const std::size_t n_dims : {64, 100, 256}) {
        CodecTester tester(Metric::kL2, n_dims);
        constexpr int kRounds = 300;
        double sum_of_squares[2] = {};
        for (int round = 0; round < kRounds; round++) {
            const Vector centre = random_vector(n_dims, random_, 4);
            const Vector a = sum_of(centre, random_vector(n_dims, random_, 0.1f));
            const Vector b = sum_of(centre, random_vector(n_dims, random_, 0.1f));
            const double exact = std::pow(exact_distance(Metric::kL2, a, b), 2);
            const Record records[] = {tester.encode(a), tester.encode(b)};
            for (int from_code = 0; from_code < 2; from_code++) {
                const Query& query = from_code ? tester.query(records[1]) : tester.query(b);
                const double error = tester.distance(query, records[0]) / exact - 1;
                sum_of_squares[from_code] += error * error;
            }
        }
        for (int from_code = 0; from_code < 2; from_code++)
            EXPECT_LT(std::sqrt(sum_of_squares[from_code] / kRounds), kMostErrors[from_code])
                << n_dims << (from_code ? " by a code" : " by a vector");
    }
}

TEST_F(CodecTest, MeasuresCodesAgainstCodes) {
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : kLengths) {
            const Vector centre = random_vector(n_dims, random_);
            CodecTester tester(metric, n_dims, centroid_of(metric, centre));
            for (int round = 0; round < 10; round++) {
                const Record a = tester.encode(sum_of(centre, random_vector(n_dims, random_)));
                const Record b = tester.encode(sum_of(centre, random_vector(n_dims, random_)));
                const float ab = tester.distance(tester.query(b), a);
                const float ba = tester.distance(tester.query(a), b);
                const double scale = std::fabs(ab) + std::fabs(ba) + 1e-3;
                // Each side as a query: only the rounding of 8-bit levels and floats differs.
                EXPECT_NEAR(ab, ba, 0.04 * scale) << describe(metric, n_dims);
                if (tester.codec().kind() == CodecKind::kScalar4) {
                    EXPECT_NEAR(ab, ba, 1e-5 * scale) << describe(metric, n_dims);
                }
            }
        }
}

TEST_F(CodecTest, DecodesWhatWasPrepared) {
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : kLengths) {
            CodecTester tester(metric, n_dims, centroid_of(metric, random_vector(n_dims, random_)));
            const Vector vector = random_vector(n_dims, random_);
            const Record record = tester.encode(vector);
            const Vector prepared = tester.prepared(vector);
            const Vector decoded = tester.decode(record);
            double squared = 0;
            for (std::size_t i = 0; i < prepared.size(); i++)
                squared += std::pow(static_cast<double>(prepared[i]) - decoded[i], 2);
            EXPECT_LE(squared, 1e-4 * dot(prepared, prepared) + 1e-12) << describe(metric, n_dims);
        }
}

TEST_F(CodecTest, OrdersAsBruteForceDoes) {
    constexpr std::size_t kRows = 400;
    constexpr std::size_t kNearest = 10;
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : {20, 128, 768}) {
            CodecTester tester(metric, n_dims);
            std::vector<Vector> rows;
            std::vector<Record> records;
            for (std::size_t i = 0; i < kRows; i++) {
                rows.push_back(random_vector(n_dims, random_));
                records.push_back(tester.encode(rows.back()));
            }
            std::size_t n_found = 0;
            constexpr std::size_t kQueries = 20;
            for (std::size_t q = 0; q < kQueries; q++) {
                const Vector target = random_vector(n_dims, random_);
                const Query& query = tester.query(target);
                std::vector<std::pair<double, std::size_t>> exact, refined;
                for (std::size_t i = 0; i < kRows; i++) {
                    exact.emplace_back(exact_distance(metric, rows[i], target), i);
                    refined.emplace_back(tester.refine(query, records[i]).distance, i);
                }
                std::sort(exact.begin(), exact.end());
                std::sort(refined.begin(), refined.end());
                for (std::size_t i = 0; i < kNearest; i++)
                    for (std::size_t j = 0; j < kNearest; j++)
                        n_found += exact[i].second == refined[j].second;
            }
            EXPECT_GE(n_found, kQueries * kNearest * 96 / 100) << describe(metric, n_dims);
        }
}

/// Vectors of every temper, around `centre` and elsewhere.
std::vector<Vector>
difficult_vectors(std::size_t n_dims, const Vector& centre, std::mt19937_64& random) {
    std::vector<Vector> all;
    for (float scale : {1.f, 1.f, 1e-3f, 1e-6f, 1e-9f, 1e-15f, 1e-18f, 1e-20f, 1e-30f, 1e-42f, 1e3f,
                        1e9f, 1e15f, n_dims > 1000 ? 1e16f : 1e18f}) {
        all.push_back(random_vector(n_dims, random, scale));
        all.push_back(sum_of(centre, random_vector(n_dims, random, scale)));
    }
    all.push_back(centre);
    all.push_back(sum_of(all[0], random_vector(n_dims, random, 1e-4f)));
    all.push_back(all[0]);
    all.push_back(Vector(n_dims, 0.f));
    all.push_back(Vector(n_dims, 1.f));
    all.push_back(Vector(n_dims, -1e-3f));
    Vector sparse(n_dims);
    sparse[n_dims / 2] = 5;
    all.push_back(sparse);
    sparse[n_dims - 1] = 1e6f;
    all.push_back(sparse);
    Vector outlier = random_vector(n_dims, random, 1e-2f);
    outlier[0] = -1000;
    all.push_back(outlier);
    return all;
}

TEST_F(CodecTest, GivesLowerBoundsThatHold) {
    const std::vector<SimdLevel> levels = supported_levels();
    std::size_t n_pairs = 0;
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : {1, 2, 3, 17, 33, 64, 128, 256, 257, 300, 768, 1000, 8000})
            for (float spread : {0.f, 1.f, 100.f}) {
                const Vector centre = random_vector(n_dims, random_, spread);
                // For cosine this centroid lies far outside: a poor choice, but bounds must hold.
                CodecTester tester(metric, n_dims, centre);
                std::vector<Vector> vectors;
                std::vector<Record> records;
                for (const Vector& vector : difficult_vectors(n_dims, centre, random_))
                    if (tester.prepare(vector) == PrepareStatus::kReady) {
                        vectors.push_back(vector);
                        records.push_back(tester.encode(vector));
                    }
                for (const Vector& target : vectors) {
                    const Query& query = tester.query(target);
                    for (std::size_t i = 0; i < records.size(); i++) {
                        select_simd_level(levels[i % levels.size()]);
                        const Refined refined = tester.refine(query, records[i]);
                        const double bound = tester.in_units(refined.lower_bound);
                        n_pairs++;
                        ASSERT_FALSE(std::isnan(refined.distance) || std::isnan(bound));
                        const double exact = exact_distance(metric, vectors[i], target);
                        ASSERT_FALSE(bound > exact)
                            << describe(metric, n_dims) << ": " << bound << " > " << exact;
                        for (SimdLevel level : levels) {
                            select_simd_level(level);
                            const double computed = operator_distance(metric, vectors[i], target);
                            ASSERT_FALSE(bound > computed)
                                << describe(metric, n_dims) << ": " << bound << " > " << computed;
                        }
                    }
                }
            }
    EXPECT_GT(n_pairs, 100000u);
}

TEST_F(CodecTest, KnowsItsOwnVectors) {
    for (Metric metric : {Metric::kL2, Metric::kCosine, Metric::kL1})
        for (std::size_t n_dims : kLengths) {
            const Vector centre = random_vector(n_dims, random_);
            CodecTester tester(metric, n_dims, centroid_of(metric, centre));
            for (const Vector& vector : difficult_vectors(n_dims, centre, random_)) {
                if (tester.prepare(vector) != PrepareStatus::kReady)
                    continue;
                const Record record = tester.encode(vector);
                const Refined refined = tester.refine(tester.query(vector), record);
                // The operator's cosine of vectors whose norms underflow is no number.
                if (std::isnan(operator_distance(metric, vector, vector)))
                    continue;
                const double scale =
                    scale_of(metric, vector, vector) + scale_of(metric, centre, centre);
                // An outlier stretches the range of plain8, and its error with it.
                const double tolerance = tester.codec().kind() == CodecKind::kPlain8
                                             ? record.header.error + 1e-4 * scale
                                             : 1e-2 * scale;
                EXPECT_LE(tester.in_units(refined.distance), tolerance) << describe(metric, n_dims);
            }
        }
}

TEST_F(CodecTest, EncodesTheCentroidAsNothing) {
    for (Metric metric : {Metric::kL2, Metric::kInnerProduct})
        for (std::size_t n_dims : {100, 768}) {
            const Vector centre = random_vector(n_dims, random_);
            CodecTester tester(metric, n_dims, centre);
            const Record record = tester.encode(centre);
            EXPECT_EQ(record.header.factor, 0);
            const Vector target = random_vector(n_dims, random_);
            const Query& query = tester.query(target);
            const double exact = exact_distance(metric, centre, target);
            const double tolerance = 1e-5 * scale_of(metric, centre, target);
            EXPECT_NEAR(tester.in_units(tester.distance(query, record)), exact, tolerance);
            EXPECT_NEAR(tester.in_units(tester.refine(query, record).distance), exact, tolerance);
            EXPECT_EQ(tester.estimate_error(query, record), 0);
        }
}

TEST_F(CodecTest, EncodesConstantVectorsForL1) {
    CodecTester tester(Metric::kL1, 5);
    const Record record = tester.encode(Vector(5, -2.5f));
    EXPECT_NE(record.header.factor, 0);
    EXPECT_EQ(tester.distance(tester.query(Vector(5, 1.f)), record), 17.5f);
}

TEST_F(CodecTest, RefusesWhatItCannotHold) {
    constexpr float kMax = std::numeric_limits<float>::max();
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : {2, 100, 768}) {
            CodecTester tester(metric, n_dims, random_vector(n_dims, random_));
            EXPECT_EQ(tester.prepare(Vector(n_dims, kMax)), PrepareStatus::kOverflow);
            EXPECT_EQ(tester.prepare(Vector(n_dims, 1e-30f)), PrepareStatus::kReady);
            EXPECT_EQ(tester.prepare(Vector(n_dims)), metric == Metric::kCosine
                                                          ? PrepareStatus::kZeroVector
                                                          : PrepareStatus::kReady);
            if (metric == Metric::kL1)
                continue;
            // Still a query: everything is infinitely far, and no bound says otherwise.
            const Record record = tester.encode(Vector(n_dims, 1.f));
            const Query& query = tester.query(Vector(n_dims, kMax));
            if (n_dims > 2) {
                EXPECT_EQ(tester.distance(query, record), kInfinite);
            }
            const Refined refined = tester.refine(query, record);
            EXPECT_FALSE(std::isnan(refined.distance));
            const double exact =
                operator_distance(metric, Vector(n_dims, 1.f), Vector(n_dims, kMax));
            EXPECT_FALSE(tester.in_units(refined.lower_bound) > exact);
        }
}

TEST_F(CodecTest, JudgesAsItPrepares) {
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : {2, 100, 768}) {
            const auto root = std::sqrt(static_cast<float>(n_dims));
            const Vector farthest(n_dims, 1e15f / root);
            for (const Vector& centroid : {Vector(n_dims), farthest})
                for (int exponent = -45; exponent <= 38; ++exponent)
                    for (const float factor : {0.f, -9.99f, 1.f, 3.f}) {
                        CodecTester tester(metric, n_dims, centroid);
                        const float value = factor * std::pow(10.f, static_cast<float>(exponent));
                        Vector vector(n_dims, value / root);
                        if (!(std::fabs(vector[0]) <= std::numeric_limits<float>::max()))
                            continue;
                        EXPECT_EQ(tester.judge(vector), tester.prepare(vector)) << value;
                        vector.assign(n_dims, 0);
                        vector[n_dims / 2] = value;
                        if (std::isfinite(value)) {
                            EXPECT_EQ(tester.judge(vector), tester.prepare(vector)) << value;
                        }
                    }
        }
}

// A centroid may come later, on the other side.
TEST_F(CodecTest, JudgesForAnyCentroid) {
    for (Metric metric : {Metric::kL2, Metric::kInnerProduct})
        for (std::size_t n_dims : {100, 768}) {
            Vector centroid(n_dims);
            centroid[0] = 0.999e15f;
            CodecTester without(metric, n_dims);
            CodecTester with(metric, n_dims, centroid);
            std::size_t n_ready = 0;
            std::size_t n_refused = 0;
            for (float value = 1.84e19f; value < 1.845e19f; value += 2e13f) {
                Vector vector(n_dims);
                vector[0] = -value;
                if (without.judge(vector) == PrepareStatus::kReady) {
                    EXPECT_EQ(without.prepare(vector), PrepareStatus::kReady) << value;
                    EXPECT_EQ(with.prepare(vector), PrepareStatus::kReady) << value;
                    ++n_ready;
                } else {
                    ++n_refused;
                }
            }
            EXPECT_GT(n_ready, 100u);
            EXPECT_GT(n_refused, 10u);
        }
}

TEST_F(CodecTest, TurnsGarbageIntoInfinity) {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : {100, 768}) {
            CodecTester tester(metric, n_dims);
            Record record = tester.encode(random_vector(n_dims, random_));
            const Query query = tester.query(random_vector(n_dims, random_));
            std::fill(record.code.begin(), record.code.end(), 0xff);
            EXPECT_TRUE(std::isfinite(tester.distance(query, record)));
            for (float bad : {kNan, kInfinite, -kInfinite}) {
                Record damaged = record;
                damaged.header.factor = bad;
                EXPECT_EQ(tester.distance(query, damaged), kInfinite);
                EXPECT_FALSE(std::isnan(tester.refine(query, damaged).distance));
                damaged = record;
                damaged.header.offset = bad;
                EXPECT_EQ(tester.distance(query, damaged), kInfinite);
                EXPECT_FALSE(std::isnan(tester.refine(query, damaged).distance));
                damaged = record;
                damaged.header.error = bad;
                if (!damaged.residual.empty())
                    std::memset(damaged.residual.data(), 0xff, sizeof(ResidualHeader));
                const Refined refined = tester.refine(query, damaged);
                EXPECT_FALSE(std::isnan(refined.distance));
                EXPECT_LE(refined.lower_bound, refined.distance);
            }
        }
}

TEST_F(CodecTest, GivesEqualAnswersOnEveryCpuLevel) {
    for (Metric metric : kMetrics)
        for (std::size_t n_dims : kLengths) {
            CodecTester tester(metric, n_dims, random_vector(n_dims, random_));
            const Vector a = random_vector(n_dims, random_);
            const Vector b = random_vector(n_dims, random_);
            select_simd_level(SimdLevel::kScalar);
            const Record record = tester.encode(a);
            const Query& query = tester.query(b);
            const float distance = tester.distance(query, record);
            const Refined refined = tester.refine(query, record);
            const double scale = std::fabs(distance) + dot(a, a) + dot(b, b);
            for (SimdLevel level : supported_levels()) {
                select_simd_level(level);
                EXPECT_NEAR(tester.distance(query, record), distance, 1e-6 * scale);
                const Refined other = tester.refine(query, record);
                EXPECT_NEAR(other.distance, refined.distance, 1e-5 * scale);
                EXPECT_NEAR(other.lower_bound, refined.lower_bound, 1e-5 * scale);
            }
        }
}

template <int kBits>
void
expect_signed_levels(std::mt19937_64& random) {
    for (std::size_t n = 16; n <= 1024; n += 16) {
        std::vector<std::uint8_t> code(n * kBits / 8);
        // The last length has the largest levels only: sums must not overflow.
        std::ranges::generate(code, [&] { return n < 1024 ? random() : 255; });
        std::vector<std::int8_t> levels(n);
        const std::int32_t sum = write_signed_levels<kBits>(code.data(), n, levels.data());
        std::int32_t expected_sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const int byte = code[i % code.size()];
            const int level = kBits == 8 ? byte : (i < code.size() ? byte & 15 : byte >> 4);
            const int expected = kBits == 8 ? level - 128 : 2 * level - 15;
            ASSERT_EQ(levels[i], expected) << n << " dimensions, at " << i;
            expected_sum += expected;
        }
        ASSERT_EQ(sum, expected_sum) << n << " dimensions";
    }
}

TEST(SignedLevelsTest, AreWrittenAndSummedAtEveryLength) {
    std::mt19937_64 random(1);
    expect_signed_levels<4>(random);
    expect_signed_levels<8>(random);
}

}  // namespace
}  // namespace vext::core
