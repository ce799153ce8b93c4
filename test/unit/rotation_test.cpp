#include "core/codec/rotation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "core/distance/dispatch.h"
#include "core/hash.h"
#include "test_arena.h"

namespace vext::core {
namespace {

using Vector = std::vector<float>;

Vector
random_vector(std::size_t n_dims, std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    Vector vector(n_dims);
    for (float& x : vector)
        x = normal(random);
    return vector;
}

double
dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); i++)
        sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

Vector
rotated(const Rotation& rotation, const Vector& vector) {
    Vector out(rotation.n_padded());
    rotation.apply(vector.data(), out.data());
    return out;
}

std::vector<std::size_t>
lengths() {
    std::vector<std::size_t> all;
    for (std::size_t n_dims = 1; n_dims <= 40; n_dims++)
        all.push_back(n_dims);
    all.insert(all.end(), {100, 128, 384, 768, 784, 1000, 1024, 1536, 8000});
    return all;
}

TEST(Rotation, PadsToMultiplesOf16) {
    EXPECT_EQ(padded_dims(1), 16u);
    EXPECT_EQ(padded_dims(16), 16u);
    EXPECT_EQ(padded_dims(17), 32u);
    EXPECT_EQ(padded_dims(8000), 8000u);
}

TEST(Rotation, PreservesNormsAndProducts) {
    std::mt19937_64 random(1);
    for (SimdLevel level : {SimdLevel::kScalar, SimdLevel::kAuto}) {
        select_simd_level(level);
        for (std::size_t n_dims : lengths()) {
            test::TestArena memory;
            const Rotation rotation(memory.arena(), n_dims, 42);
            const Vector a = random_vector(n_dims, random);
            const Vector b = random_vector(n_dims, random);
            const Vector ra = rotated(rotation, a);
            const Vector rb = rotated(rotation, b);
            const double scale = std::sqrt(dot(a, a) * dot(b, b));
            EXPECT_NEAR(dot(ra, ra) / dot(a, a), 1, 1e-5) << n_dims;
            EXPECT_NEAR(dot(ra, rb) / scale, dot(a, b) / scale, 1e-5) << n_dims;
        }
    }
}

TEST(Rotation, RotatesInPlace) {
    std::mt19937_64 random(2);
    test::TestArena memory;
    const Rotation rotation(memory.arena(), 100, 7);
    const Vector vector = random_vector(100, random);
    Vector in_place = vector;
    in_place.resize(rotation.n_padded(), -1.f);
    rotation.apply(in_place.data(), in_place.data());
    EXPECT_EQ(in_place, rotated(rotation, vector));
}

TEST(Rotation, IsTheSameForASeedAndAnotherForAnother) {
    std::mt19937_64 random(3);
    test::TestArena memory;
    const Vector vector = random_vector(784, random);
    const Vector first = rotated(Rotation(memory.arena(), 784, 5), vector);
    EXPECT_EQ(first, rotated(Rotation(memory.arena(), 784, 5), vector));
    const Vector other = rotated(Rotation(memory.arena(), 784, 6), vector);
    EXPECT_LT(std::fabs(dot(first, other)) / dot(first, first), 0.2);
}

TEST(Rotation, KeepsItsValuesOnDisk) {
    // An index written elsewhere must be readable here: the signs of a rotated axis never change.
    test::TestArena memory;
    Vector axis(48);
    axis[5] = 1;
    const Vector out = rotated(Rotation(memory.arena(), 48, 12345), axis);
    std::uint64_t signs = 0;
    for (float x : out)
        signs = signs * 2 + (x < 0);
    EXPECT_EQ(signs, 49505589698849u);
}

TEST(Rotation, HasTheErrorItSays) {
    // Rotations of equal vectors at different CPU levels differ by rounding alone.
    std::mt19937_64 random(4);
    for (std::size_t n_dims : {16, 48, 768, 1000, 8000}) {
        test::TestArena memory;
        const Rotation rotation(memory.arena(), n_dims, 9);
        const Vector vector = random_vector(n_dims, random);
        select_simd_level(SimdLevel::kScalar);
        Vector difference = rotated(rotation, vector);
        select_simd_level(SimdLevel::kAuto);
        const Vector other = rotated(rotation, vector);
        for (std::size_t i = 0; i < difference.size(); i++)
            difference[i] -= other[i];
        EXPECT_LE(std::sqrt(dot(difference, difference) / dot(vector, vector)),
                  2 * rotation.relative_error());
        EXPECT_LT(rotation.relative_error(), 1e-5);
    }
}

TEST(Rotation, SpreadsWhateverComes) {
    // Axes and half-filled vectors: no coordinate may keep much more than its share, and neither
    // half of the output may starve (1008 padded dimensions: two blocks of 512 hardly overlap).
    for (std::size_t n_dims : {128, 528, 768, 784, 1000, 1008, 1536, 8000}) {
        test::TestArena memory;
        const Rotation rotation(memory.arena(), n_dims, 3);
        for (std::size_t first : {std::size_t{0}, n_dims / 2, n_dims - 1}) {
            Vector axis(n_dims);
            axis[first] = 1;
            const Vector out = rotated(rotation, axis);
            const double share = 1.0 / static_cast<double>(out.size());
            double low_half = 0;
            for (std::size_t i = 0; i < out.size(); i++) {
                EXPECT_LT(out[i] * out[i], 40 * share) << n_dims;
                low_half += i < out.size() / 2 ? out[i] * out[i] : 0;
            }
            EXPECT_GT(low_half, 0.25) << n_dims << " from " << first;
            EXPECT_LT(low_half, 0.75) << n_dims << " from " << first;
        }
    }
}

TEST(Hash, CountsBothZerosAsOne) {
    const Vector plus = {0.f, 1.f, 2.f, 0.f, 5.f};
    const Vector minus = {-0.f, 1.f, 2.f, -0.f, 5.f};
    EXPECT_EQ(hash_vector(plus.data(), 5), hash_vector(minus.data(), 5));
}

TEST(Hash, TellsVectorsApart) {
    std::vector<std::uint32_t> hashes;
    for (std::size_t position = 0; position < 300; position++)
        for (float value : {-1.f, 1e-45f, 1.f, 2.f, 1e30f}) {
            Vector vector(300);
            vector[position] = value;
            hashes.push_back(hash_vector(vector.data(), vector.size()));
        }
    for (std::size_t n_dims = 0; n_dims < 300; n_dims++)
        hashes.push_back(hash_vector(Vector(n_dims).data(), n_dims));
    std::sort(hashes.begin(), hashes.end());
    EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST(Hash, KeepsItsValuesOnDisk) {
    const Vector vector = {1.f, -2.5f, 3e10f, 0.f, 7e-40f};
    EXPECT_EQ(hash_vector(vector.data(), 5), 4002901390u);
}

}  // namespace
}  // namespace vext::core
