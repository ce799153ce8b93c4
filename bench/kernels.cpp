// How near each distance kernel comes to the load bandwidth of the L1 cache.
//
// A query and as many rows as fit lie in 32 KB. `peak` is the rate of a loop that does nothing but
// load these 32 KB, with the widest loads of the kernel's CPU level, taken just before the kernel;
// `share` is the kernel's own rate, both arguments counted, in per cent of the peak.
//   bench_kernels --benchmark_filter='avx512/(l2|inner)'

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "core/distance/dispatch.h"
#include "core/distance/sparse.h"
#include "core/half.h"

namespace vext::core {
namespace {

constexpr std::size_t kBufferBytes = 32768;
constexpr SimdLevel kLevels[] = {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512,
                                 SimdLevel::kNeon};

// Floats, so that no kernel is slowed by subnormal numbers; as codes any bytes will do.
alignas(64) float buffer[kBufferBytes / sizeof(float)];
alignas(64) std::uint16_t half_buffer[kBufferBytes / sizeof(std::uint16_t)];

#if defined(__x86_64__)
#define VEXT_LOAD(p, instruction) asm volatile(instruction : : "m"(*(p)) : "xmm0")
template <std::size_t kBytes>
inline void
load(const char* p) {
    if constexpr (kBytes == 64)
        VEXT_LOAD(p, "vmovups %0, %%zmm0");
    else if constexpr (kBytes == 32)
        VEXT_LOAD(p, "vmovups %0, %%ymm0");
    else
        VEXT_LOAD(p, "movups %0, %%xmm0");
}
#elif defined(__aarch64__)
template <std::size_t kBytes>
inline void
load(const char* p) {
    asm volatile("ldr q0, %0" : : "m"(*p) : "v0");
}
#endif

double
cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Bytes a second of the best of many runs of a loop that loads the buffer and does nothing else.
template <std::size_t kBytes>
double
measure_peak() {
    constexpr int kPasses = 200;
    const char* begin = reinterpret_cast<const char*>(buffer);
    double best = 0;
    for (int run = 0; run < 50; ++run) {
        const double start = cpu_seconds();
        for (int pass = 0; pass < kPasses; ++pass)
            for (const char* p = begin; p < begin + kBufferBytes; p += 8 * kBytes) {
                load<kBytes>(p);
                load<kBytes>(p + kBytes);
                load<kBytes>(p + 2 * kBytes);
                load<kBytes>(p + 3 * kBytes);
                load<kBytes>(p + 4 * kBytes);
                load<kBytes>(p + 5 * kBytes);
                load<kBytes>(p + 6 * kBytes);
                load<kBytes>(p + 7 * kBytes);
            }
        best = std::max(best, kPasses * kBufferBytes / (cpu_seconds() - start));
    }
    return best;
}

double
measure_peak(SimdLevel level) {
    switch (level) {
        case SimdLevel::kAvx512:
            return measure_peak<64>();
        case SimdLevel::kAvx2:
            return measure_peak<32>();
        default:
            return measure_peak<16>();
    }
}

/// What a kernel reads of each dimension.
struct Operands {
    std::size_t row_bits;
    std::size_t query_bits;
};

constexpr Operands kFloats = {32, 32};
constexpr Operands kHalves = {16, 16};

template <typename Call>
constexpr bool kTakesHalves =
    std::is_invocable_v<Call, const HalfKernels&, const char*, const char*, std::size_t>;

/// The table that a call takes.
template <typename Call>
const auto&
table_for(SimdLevel level) {
    if constexpr (kTakesHalves<Call>)
        return half_kernels_of(level);
    else
        return kernels_of(level);
}

/// Times call(table, row, query, n_dims) over all rows that fit beside the query.
template <typename Call>
void
measure(benchmark::State& state, SimdLevel level, Operands operands, std::size_t n_dims,
        Call call) {
    const std::size_t row_bytes = operands.row_bits * n_dims / 8;
    const std::size_t query_bytes = operands.query_bits * n_dims / 8;
    const char* query = kTakesHalves<Call> ? reinterpret_cast<const char*>(half_buffer)
                                           : reinterpret_cast<const char*>(buffer);
    const std::size_t n_rows = (kBufferBytes - query_bytes) / row_bytes;
    const auto& table = table_for<Call>(level);
    const double peak = measure_peak(level);
    for (auto _ : state) {
        const char* row = query + query_bytes;
        for (std::size_t i = 0; i < n_rows; ++i, row += row_bytes)
            benchmark::DoNotOptimize(call(table, row, query, n_dims));
    }
    using benchmark::Counter;
    const double n_calls = static_cast<double>(n_rows) * static_cast<double>(state.iterations());
    const double n_bytes = n_calls * static_cast<double>(row_bytes + query_bytes);
    state.counters["ns_per_call"] = Counter(n_calls * 1e-9, Counter::kIsRate | Counter::kInvert);
    state.counters["rate"] = Counter(n_bytes, Counter::kIsRate);
    state.counters["peak"] = peak;
    state.counters["share"] = Counter(100 * n_bytes / peak, Counter::kIsRate);
}

template <typename Call>
void
add_kernel(const char* name, Operands operands, Call call) {
    for (SimdLevel level : kLevels) {
        if (!is_supported(level))
            continue;
        for (std::size_t n_dims : {128, 768, 1536}) {
            const std::string title =
                std::string(kernels_of(level).name) + "/" + name + "/" + std::to_string(n_dims);
            benchmark::RegisterBenchmark(title.c_str(), [=](benchmark::State& state) {
                measure(state, level, operands, n_dims, call);
            })->MinTime(0.1);
        }
    }
}

void
add_hadamard() {
    for (SimdLevel level : kLevels) {
        if (!is_supported(level))
            continue;
        for (std::size_t n : {128, 1024, 8192}) {
            const std::string title =
                std::string(kernels_of(level).name) + "/hadamard/" + std::to_string(n);
            benchmark::RegisterBenchmark(title.c_str(), [=](benchmark::State& state) {
                static float x[8192];
                std::copy_n(buffer, n, x);
                for (auto _ : state) {
                    kernels_of(level).hadamard(x, n);
                    benchmark::ClobberMemory();
                }
            })->MinTime(0.1);
        }
    }
}

void
add_bits() {
    for (SimdLevel level : kLevels) {
        if (!is_supported(level))
            continue;
        const BitKernels& table = bit_kernels_of(level);
        for (std::size_t n_bits : {384, 1536, 64000}) {
            const auto* x = reinterpret_cast<const std::uint8_t*>(buffer);
            const std::size_t n = n_bits / 8;
            const std::string title = "/" + std::to_string(n_bits);
            benchmark::RegisterBenchmark(
                (std::string(table.name) + "/hamming" + title).c_str(),
                [=](benchmark::State& state) {
                    for (auto _ : state)
                        benchmark::DoNotOptimize(table.hamming(x, x + 16000, n));
                })
                ->MinTime(0.1);
            benchmark::RegisterBenchmark(
                (std::string(table.name) + "/jaccard" + title).c_str(),
                [=](benchmark::State& state) {
                    for (auto _ : state)
                        benchmark::DoNotOptimize(table.jaccard_parts(x, x + 16000, n).common);
                })
                ->MinTime(0.1);
        }
    }
}

/// A sparse vector of 30,522 dimensions, as of words: low indices come more often.
struct SparseRow {
    explicit SparseRow(std::mt19937& random, std::size_t n_entries) {
        std::uniform_real_distribution<double> uniform;
        std::set<std::int32_t> places;
        while (places.size() < n_entries)
            places.insert(static_cast<std::int32_t>(kDims * std::pow(uniform(random), 3)));
        indices.assign(places.begin(), places.end());
        for (std::size_t i = 0; i < n_entries; ++i)
            values.push_back(static_cast<float>(uniform(random)) + 0.01f);
    }
    SparseView
    view() const {
        return {kDims, indices, values};
    }

    static constexpr std::int32_t kDims = 30522;

    std::vector<std::int32_t> indices;
    std::vector<float> values;
};

/// One query against rows of 60 to 250 entries, merged or written out in a table.
void
add_sparse() {
    static std::vector<SparseRow> rows;
    static std::vector<float> table(SparseRow::kDims);
    std::mt19937 random(2);
    for (std::size_t i = 0; i < 2000; ++i)
        rows.emplace_back(random, 60 + random() % 191);
    for (std::size_t n_entries : {20, 200}) {
        const SparseRow query(random, n_entries);
        const std::string title = "/" + std::to_string(n_entries);
        const auto count = [](benchmark::State& state) {
            state.counters["ns_per_call"] = benchmark::Counter(
                static_cast<double>(rows.size()) * static_cast<double>(state.iterations()) * 1e-9,
                benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
        };
        benchmark::RegisterBenchmark(("sparse_merge" + title).c_str(), [=](benchmark::State&
                                                                               state) {
            for (auto _ : state)
                for (const SparseRow& row : rows)
                    benchmark::DoNotOptimize(sparse_inner_product(row.view(), query.view()));
            count(state);
        })->MinTime(0.1);
        benchmark::RegisterBenchmark(("sparse_table" + title).c_str(), [=](benchmark::State&
                                                                               state) {
            const SpreadVector spread_query = spread(query.view(), table.data());
            for (auto _ : state)
                for (const SparseRow& row : rows)
                    benchmark::DoNotOptimize(sparse_inner_product(row.view(), spread_query));
            unspread(query.view(), table.data());
            count(state);
        })->MinTime(0.1);
    }
}

const float*
floats(const char* p) {
    return reinterpret_cast<const float*>(p);
}
const std::uint16_t*
halves(const char* p) {
    return reinterpret_cast<const std::uint16_t*>(p);
}
const std::uint8_t*
codes(const char* p) {
    return reinterpret_cast<const std::uint8_t*>(p);
}
const std::int8_t*
integers(const char* p) {
    return reinterpret_cast<const std::int8_t*>(p);
}

bool
add_all() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::generate(std::begin(buffer), std::end(buffer), [&] { return normal(random); });
    std::generate(std::begin(half_buffer), std::end(half_buffer),
                  [&] { return to_half(normal(random)).bits; });

    using K = const Kernels&;
    using P = const char*;
    using N = std::size_t;
    add_kernel("l2_squared", kFloats,
               [](K k, P x, P y, N n) { return k.l2_squared(floats(x), floats(y), n); });
    add_kernel("inner_product", kFloats,
               [](K k, P x, P y, N n) { return k.inner_product(floats(x), floats(y), n); });
    add_kernel("l1", kFloats, [](K k, P x, P y, N n) { return k.l1(floats(x), floats(y), n); });
    add_kernel("cosine_parts", kFloats,
               [](K k, P x, P y, N n) { return k.cosine_parts(floats(x), floats(y), n); });
    add_kernel("squared_norm", {32, 0},
               [](K k, P x, P, N n) { return k.squared_norm(floats(x), n); });
    add_kernel("dot_code4", {4, 8},
               [](K k, P x, P y, N n) { return k.dot_code4(codes(x), integers(y), n); });
    add_kernel("dot_code8", {8, 8},
               [](K k, P x, P y, N n) { return k.dot_code8(codes(x), integers(y), n); });
    add_kernel("dot_code4_float", {4, 32},
               [](K k, P x, P y, N n) { return k.dot_code4_float(codes(x), floats(y), n); });
    add_kernel("dot_code8_float", {8, 32},
               [](K k, P x, P y, N n) { return k.dot_code8_float(codes(x), floats(y), n); });
    add_kernel("l1_code8", {8, 32},
               [](K k, P x, P y, N n) { return k.l1_code8(codes(x), -1.f, 0.01f, floats(y), n); });
    using H = const HalfKernels&;
    add_kernel("half_l2_squared", kHalves,
               [](H k, P x, P y, N n) { return k.l2_squared(halves(x), halves(y), n); });
    add_kernel("half_inner_product", kHalves,
               [](H k, P x, P y, N n) { return k.inner_product(halves(x), halves(y), n); });
    add_kernel("half_l1", kHalves,
               [](H k, P x, P y, N n) { return k.l1(halves(x), halves(y), n); });
    add_kernel("half_cosine_parts", kHalves,
               [](H k, P x, P y, N n) { return k.cosine_parts(halves(x), halves(y), n); });
    add_hadamard();
    add_bits();
    add_sparse();
    return true;
}

[[maybe_unused]] const bool kAdded = add_all();

}  // namespace
}  // namespace vext::core
