// Clustered points as codes in memory, for tests of the batch graph.

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "core/batch/points.h"
#include "test_arena.h"

namespace vext::test {

struct Cloud {
    Cloud(std::size_t n, std::size_t n_dims, std::uint64_t seed,
          core::Metric metric = core::Metric::kL2, std::size_t n_clusters = 50, float spread = 0.7f)
        : n_dims(n_dims), values(n * n_dims), centroid(n_dims, 0.0f) {
        std::mt19937_64 random(seed);
        std::normal_distribution<float> normal;
        std::vector<float> centres(n_clusters * n_dims);
        for (float& value : centres)
            value = normal(random);
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t centre = random() % n_clusters;
            for (std::size_t j = 0; j < n_dims; ++j)
                values[i * n_dims + j] = centres[centre * n_dims + j] + spread * normal(random);
        }
        rotation = arena.arena().make<core::Rotation>(arena.arena(), n_dims, 7);
        codec = arena.arena().make<core::Codec>(core::codec_for(metric, n_dims), metric, n_dims,
                                                centroid.data(), rotation);
        stride = core::point_stride(*codec);
        bytes.resize(n * stride);
        encode();
        chunk = bytes.data();
        for (const core::Point point : core::ids_below<core::Point>(n))
            points.push_back(point);
    }

    // Makes the codes those of the values.
    void
    encode() {
        core::Prepared prepared = codec->allocate_prepared(arena.arena());
        std::vector<std::uint8_t> residual(codec->residual_bytes());
        for (std::size_t i = 0; i < bytes.size() / stride; ++i) {
            EXPECT_EQ(codec->prepare(&values[i * n_dims], prepared), core::PrepareStatus::kReady);
            auto* header = reinterpret_cast<core::CodeHeader*>(&bytes[i * stride]);
            codec->encode(prepared, *header, &bytes[i * stride + sizeof(core::CodeHeader)],
                          residual.data());
        }
    }

    core::PointView
    view() {
        return {codec, points.size(), stride, 31, &chunk};
    }

    TestArena arena;
    std::size_t n_dims;
    std::vector<float> values;
    std::vector<float> centroid;
    const core::Rotation* rotation;
    const core::Codec* codec;
    std::size_t stride;
    std::vector<std::uint8_t> bytes;
    std::uint8_t* chunk;
    std::vector<core::Point> points;
};

}  // namespace vext::test
