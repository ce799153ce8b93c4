// How near the pairs of a group come to the integer dot-product peak of the machine.
//
// The peak is that of a loop over registers alone with the instructions of the CPU level (vpdpbusd;
// vpmaddubsw and vpaddw), taken beside every run. Only useful products count: n (n - 1) / 2 pairs
// of a group, rows times columns of an across; `share` is the best run's rate in per cent of the
// best peak.
//   bench_pairs --benchmark_filter=avx512

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "core/batch/pairs.h"
#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

double
cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

#if defined(__x86_64__)
#define VEXT_DOT(n) "vpdpbusd %%zmm31, %%zmm30, %%zmm" #n "\n"
#define VEXT_ADD(n) \
    "vpmaddubsw %%ymm15, %%ymm14, %%ymm13\n vpaddw %%ymm13, %%ymm" #n ", %%ymm" #n "\n"

void
multiply_zmm() {
    asm volatile(VEXT_DOT(0) VEXT_DOT(1) VEXT_DOT(2) VEXT_DOT(3) VEXT_DOT(4) VEXT_DOT(5) VEXT_DOT(6)
                     VEXT_DOT(7) VEXT_DOT(8) VEXT_DOT(9) VEXT_DOT(10) VEXT_DOT(11) VEXT_DOT(12)
                         VEXT_DOT(13) VEXT_DOT(14) VEXT_DOT(15)
                 :
                 :
                 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

void
multiply_ymm() {
    asm volatile(VEXT_ADD(0) VEXT_ADD(1) VEXT_ADD(2) VEXT_ADD(3) VEXT_ADD(4) VEXT_ADD(5) VEXT_ADD(6)
                     VEXT_ADD(7)
                 :
                 :
                 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm13");
}
#endif

/// Multiplications a second of one run of the loop of a level; 0 where there is none.
double
measure_peak(SimdLevel level) {
    constexpr int kPasses = 100000;
    double n = 0;
    const double start = cpu_seconds();
#if defined(__x86_64__)
    if (level == SimdLevel::kAvx512) {
        for (int pass = 0; pass < kPasses; ++pass)
            multiply_zmm();
        n = kPasses * 16.0 * 64;
    } else if (level == SimdLevel::kAvx2) {
        for (int pass = 0; pass < kPasses; ++pass)
            multiply_ymm();
        n = kPasses * 8.0 * 32;
    }
#endif
    return n / (cpu_seconds() - start);
}

void*
allocate(void*, std::size_t n_bytes) {
    void* block = nullptr;
    if (posix_memalign(&block, Arena::kAlignment, n_bytes) != 0)
        std::abort();
    return block;
}

/// Points of random codes, whose memory lives as long as the program.
PointView
make_points(std::size_t n_dims, std::size_t n) {
    static Arena arena(nullptr, &allocate);
    const auto centroid = arena.allocate_zeroed<float>(n_dims);
    const auto* rotation = arena.make<Rotation>(arena, n_dims, 1);
    const auto* codec = arena.make<Codec>(codec_for(Metric::kL2, n_dims), Metric::kL2, n_dims,
                                          centroid.data(), rotation);
    const std::size_t stride = point_stride(*codec);
    auto** chunks = arena.allocate<std::uint8_t*>(1).data();
    chunks[0] = arena.allocate<std::uint8_t>(n * stride).data();
    const PointView points = {codec, n, stride, 31, chunks};
    Prepared prepared = codec->allocate_prepared(arena);
    const auto residual = arena.allocate<std::uint8_t>(codec->residual_bytes() + 1);
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> vector(n_dims);
    for (const Point point : ids_below<Point>(n)) {
        for (float& x : vector)
            x = normal(random);
        codec->prepare(vector.data(), prepared);
        CodeHeader header;
        codec->encode(prepared, header, points.record(point) + sizeof(header), residual.data());
        std::memcpy(points.record(point), &header, sizeof(header));
    }
    return points;
}

struct Shape {
    std::size_t n_dims;
    std::size_t n_rows;
    std::size_t n_columns;  // 0: the pairs within the rows
    std::size_t k;          // 0: products alone

    double
    n_products() const {
        const auto n = static_cast<double>(n_rows);
        const double pairs = n_columns == 0 ? n * (n - 1) / 2 : n * static_cast<double>(n_columns);
        return pairs * static_cast<double>(n_dims);
    }
};

void
multiply_tiles(const Panels& panels, const Shape& shape) {
    alignas(64) std::int32_t products[kTileRows * kTileColumns];
    for (std::size_t column = 0; column < shape.n_rows; column += kTileColumns)
        for (std::size_t row = column; row < shape.n_rows; row += kTileRows) {
            panels.multiply(row, column, products);
            benchmark::DoNotOptimize(products);
        }
}

void
measure(benchmark::State& state, SimdLevel level, const Shape& shape) {
    select_simd_level(level);
    Arena arena(nullptr, &allocate);
    const std::size_t n = shape.n_rows + shape.n_columns;
    const PointView points = make_points(shape.n_dims, n);
    const std::size_t max_group =
        std::max(std::min<std::size_t>(shape.n_rows, 1000), shape.n_columns);
    GroupPairs pairs(arena, *points.codec, max_group, std::max<std::size_t>(shape.k, 1));
    Panels panels(arena, *points.codec, shape.n_rows, shape.n_rows);
    std::vector<Point> ids;
    for (const Point point : ids_below<Point>(n))
        ids.push_back(point);
    std::shuffle(ids.begin(), ids.end(), std::mt19937_64(2));
    const auto rows = std::span<const Point>(ids).first(shape.n_rows);
    const auto columns = std::span<const Point>(ids).subspan(shape.n_rows);
    panels.pack_rows(points, rows);
    panels.pack_columns(points, rows);
    std::vector<Near<Point>> out(shape.n_rows * shape.k);
    double peak = 0;
    double best = 0;
    for (auto _ : state) {
        peak = std::max(peak, measure_peak(level));
        const double start = cpu_seconds();
        if (shape.k == 0)
            multiply_tiles(panels, shape);
        else if (shape.n_columns == 0)
            pairs.nearest_within(points, rows, shape.k, out);
        else
            pairs.nearest_across(points, rows, columns, shape.k, out);
        best = std::max(best, shape.n_products() / (cpu_seconds() - start));
    }
    state.counters["Gmac/s"] = best * 1e-9;
    if (peak > 0)
        state.counters["share"] = 100 * best / peak;
}

void
add(SimdLevel level, const std::string& what, const Shape& shape) {
    const std::string name = std::string(kernels_of(level).name) + '/' + what + '/' +
                             std::to_string(shape.n_dims) + '/' + std::to_string(shape.n_rows);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [=](benchmark::State& state) { measure(state, level, shape); })
        ->Iterations(level == SimdLevel::kScalar ? 3 : 100)
        ->Unit(benchmark::kMillisecond);
}

bool
add_all() {
    for (const SimdLevel level :
         {SimdLevel::kAvx512, SimdLevel::kAvx2, SimdLevel::kNeon, SimdLevel::kScalar}) {
        if (!is_supported(level))
            continue;
        for (const std::size_t n_dims : {128, 768, 1536}) {
            add(level, "products", {n_dims, 1000, 0, 0});
            add(level, "within", {n_dims, 1000, 0, 16});
            add(level, "across_200", {n_dims, 4000, 200, 16});
            add(level, "across_1000", {n_dims, 4000, 1000, 3});
        }
    }
    return true;
}

[[maybe_unused]] const bool kAdded = add_all();

}  // namespace
}  // namespace vext::core
