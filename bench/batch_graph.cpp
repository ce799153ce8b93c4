// What a batch graph costs and finds: time by phase, memory, recall of searches in it.
//
//   bench_batch_graph BASE QUERIES [TRY]...
// BASE and QUERIES are files of bench/generate.py. A TRY is a list such as
// ef_construction=128,fan=4: names of BatchOptions, m, members (threads that build), rows (of the
// base), phases=1 (their times). Searches run on codes; what they return is ordered by exact
// distances.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <mutex>
#include <queue>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/batch/batch_graph.h"
#include "core/distance/dispatch.h"
#include "core/graph/search.h"

namespace vext::core {
namespace {

constexpr std::size_t kNearest = 10;

double
seconds(clockid_t clock) {
    timespec now;
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// An arena that knows what it gave out.
class CountingArena {
   public:
    CountingArena() : arena_(this, &allocate) {}
    CountingArena(const CountingArena&) = delete;
    ~CountingArena() {
        for (void* block : blocks_)
            std::free(block);
    }

    Arena&
    arena() {
        return arena_;
    }
    std::size_t
    n_bytes() const {
        return n_bytes_;
    }

   private:
    static void*
    allocate(void* owner, std::size_t n_bytes) {
        auto* self = static_cast<CountingArena*>(owner);
        void* block = nullptr;
        if (posix_memalign(&block, Arena::kAlignment, n_bytes) != 0)
            std::abort();
        const std::lock_guard<std::mutex> lock(self->mutex_);
        self->blocks_.push_back(block);
        self->n_bytes_ += n_bytes;
        return block;
    }

    std::mutex mutex_;
    std::vector<void*> blocks_;
    std::size_t n_bytes_ = 0;
    Arena arena_;
};

/// What a crew of threads shares, and the times of its loops.
struct CrewShared {
    explicit CrewShared(std::size_t n) : barrier(static_cast<std::ptrdiff_t>(n)) {}

    CountingArena memory;
    std::barrier<> barrier;
    std::atomic<std::size_t> next_task{0};
    void* allocated = nullptr;
    std::map<std::string, double> cpu_seconds;
};

class TimedCrew {
   public:
    TimedCrew(CrewShared& shared, bool is_leader) : shared_(&shared), is_leader_(is_leader) {}

    template <typename Task>
    void
    for_each(std::size_t n_tasks, Task&& task) {
        if (is_leader_)
            shared_->next_task = 0;
        timed(phase_, [&] {
            for (std::size_t i; (i = shared_->next_task.fetch_add(1)) < n_tasks;)
                task(i);
        });
        phase_ = "between";
    }
    template <typename Work>
    void
    alone(Work&& work) {
        timed("alone", [&] {
            if (is_leader_)
                work();
        });
    }
    static void
    pause() {}
    void
    report(Phase phase, std::size_t) {
        constexpr const char* kNames[] = {"partitioning", "linking", "selecting"};
        phase_ = kNames[static_cast<std::size_t>(phase)];
    }
    void*
    allocate(std::size_t n_bytes) {
        if (is_leader_)
            shared_->allocated =
                shared_->memory.arena().allocate_zeroed<std::uint8_t>(n_bytes).data();
        shared_->barrier.arrive_and_wait();
        void* allocated = shared_->allocated;
        shared_->barrier.arrive_and_wait();
        return allocated;
    }

   private:
    template <typename Work>
    void
    timed(const char* phase, Work&& work) {
        shared_->barrier.arrive_and_wait();
        const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
        work();
        shared_->barrier.arrive_and_wait();
        if (is_leader_)
            shared_->cpu_seconds[phase] += seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    }

    CrewShared* shared_;
    bool is_leader_;
    const char* phase_ = "between";
};

struct Vectors {
    std::size_t n;
    std::size_t n_dims;
    std::vector<float> values;

    const float*
    operator[](std::size_t i) const {
        return &values[i * n_dims];
    }
};

/// Reads a binary COPY file of rows (id bigint, v vector).
Vectors
read_vectors(const char* path) {
    constexpr std::size_t kFileHeader = 19;
    constexpr std::size_t kRowHeader = 22;
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < kFileHeader + kRowHeader) {
        std::fprintf(stderr, "%s holds no vectors\n", path);
        std::exit(1);
    }
    const auto* dims = reinterpret_cast<const std::uint8_t*>(&bytes[kFileHeader + kRowHeader - 4]);
    Vectors vectors = {0, static_cast<std::size_t>(dims[0] << 8 | dims[1]), {}};
    const std::size_t row_bytes = kRowHeader + vectors.n_dims * sizeof(float);
    vectors.n = (bytes.size() - kFileHeader) / row_bytes;
    vectors.values.resize(vectors.n * vectors.n_dims);
    for (std::size_t i = 0; i < vectors.n; ++i)
        for (std::size_t j = 0; j < vectors.n_dims; ++j) {
            std::uint32_t bits;
            std::memcpy(&bits, &bytes[kFileHeader + i * row_bytes + kRowHeader + 4 * j], 4);
            vectors.values[i * vectors.n_dims + j] = std::bit_cast<float>(__builtin_bswap32(bits));
        }
    return vectors;
}

using Found = std::vector<std::pair<float, std::uint32_t>>;

std::vector<Found>
find_exactly(const Vectors& base, std::size_t n_rows, const Vectors& queries) {
    std::vector<std::priority_queue<Found::value_type>> nearest(queries.n);
    for (std::uint32_t i = 0; i < n_rows; ++i)
        for (std::size_t q = 0; q < queries.n; ++q) {
            nearest[q].push({kernels().l2_squared(base[i], queries[q], base.n_dims), i});
            if (nearest[q].size() > kNearest)
                nearest[q].pop();
        }
    std::vector<Found> found(queries.n);
    for (std::size_t q = 0; q < queries.n; ++q)
        for (; !nearest[q].empty(); nearest[q].pop())
            found[q].push_back(nearest[q].top());
    return found;
}

/// The codes of the base, by L2.
struct Points {
    Points(const Vectors& base, Arena& arena) : centroid(base.n_dims), chunk(nullptr) {
        for (std::size_t i = 0; i < std::min<std::size_t>(base.n, 10000); ++i)
            for (std::size_t j = 0; j < base.n_dims; ++j)
                centroid[j] +=
                    base[i][j] / static_cast<float>(std::min<std::size_t>(base.n, 10000));
        codec = arena.make<Codec>(codec_for(Metric::kL2, base.n_dims), Metric::kL2, base.n_dims,
                                  centroid.data(), arena.make<Rotation>(arena, base.n_dims, 7));
        const std::size_t stride = point_stride(*codec);
        chunk = arena.allocate<std::uint8_t>(base.n * stride).data();
        view = {codec, base.n, stride, 31, &chunk};
        Prepared prepared = codec->allocate_prepared(arena);
        const auto residual = arena.allocate<std::uint8_t>(codec->residual_bytes() + 1);
        for (const Point point : ids_below<Point>(base.n)) {
            codec->prepare(base[number_of(point)], prepared);
            codec->encode(prepared, *reinterpret_cast<CodeHeader*>(view.record(point)),
                          view.record(point) + sizeof(CodeHeader), residual.data());
        }
    }

    std::vector<float> centroid;
    std::uint8_t* chunk;
    const Codec* codec;
    PointView view;
};

/// The model of Graph (core/graph/search.h).
struct GraphView {
    void
    links(const Candidate& node, int layer, Array<NodeId>& ids) const {
        const BatchLayer& level = graph.layers[static_cast<std::size_t>(layer)];
        for (const RankLink& link : level.links.of(level.ranked.rank_of(to_point(node.id))))
            ids.push_back(to_node(level.ranked[link.id()]));
    }
    void
    measure(std::span<const NodeId> ids, Array<Candidate>& found) const {
        for (const NodeId id : ids)
            found.push_back(measure(to_point(id)));
    }
    Candidate
    measure(Point point) const {
        const float distance =
            points.codec->distance(query, points.header(point), points.code(point));
        return {distance, 0, to_node(point), 0, false, false};
    }

    const BatchGraph& graph;
    const PointView& points;
    const Query& query;
};

double
recall(const BatchGraph& graph, const Points& points, const Vectors& base, const Vectors& queries,
       const std::vector<Found>& truth, std::size_t ef) {
    CountingArena memory;
    Arena& arena = memory.arena();
    SearchMemory search(arena, ef);
    Prepared prepared = points.codec->allocate_prepared(arena);
    Query query = points.codec->allocate_query(arena);
    const int top = static_cast<int>(graph.layers.size()) - 1;
    std::size_t n_hits = 0;
    for (std::size_t q = 0; q < queries.n; ++q) {
        points.codec->prepare(queries[q], prepared);
        points.codec->prepare_query(prepared, query);
        GraphView view{graph, points.view, query};
        const Entries entries = descend(view, top, 1, view.measure(graph.entry), search);
        search_layer(view, 0, ef, entries.span(), search);
        Found found;
        for (const Candidate& candidate : search.beam.entries()) {
            const std::uint32_t point = number_of(candidate.id);
            found.push_back({kernels().l2_squared(base[point], queries[q], base.n_dims), point});
        }
        std::ranges::sort(found);
        for (std::size_t i = 0; i < std::min(kNearest, found.size()); ++i)
            n_hits += std::ranges::count(truth[q], found[i]);
    }
    return static_cast<double>(n_hits) / static_cast<double>(kNearest * queries.n);
}

struct Try {
    explicit Try(const std::string& text) {
        std::istringstream words(text);
        std::map<std::string, std::size_t> numbers;
        for (std::string word; std::getline(words, word, ',');)
            numbers[word.substr(0, word.find('='))] =
                std::strtoul(word.c_str() + word.find('=') + 1, nullptr, 10);
        const auto take = [&](const char* name, std::size_t& value) {
            if (const auto place = numbers.find(name); place != numbers.end())
                value = numbers.extract(place).mapped();
        };
        std::size_t ef_construction = 64;
        take("ef_construction", ef_construction);
        options = batch_options(ef_construction, 1);
        take("fan", options.fan);
        take("leaf", options.leaf);
        take("near", options.near);
        take("far_near", options.far_near);
        take("far_columns", options.far_columns);
        take("scale", options.scale);
        take("reverse", options.reverse);
        take("seed", options.seed);
        take("m", m);
        take("members", n_members);
        take("rows", n_rows);
        take("phases", phases);
        if (!numbers.empty()) {
            std::fprintf(stderr, "what is %s?\n", numbers.begin()->first.c_str());
            std::exit(1);
        }
    }

    BatchOptions options;
    std::size_t m = 16;
    std::size_t n_members = 1;
    std::size_t n_rows = ~std::size_t{0};
    std::size_t phases = 0;
};

void
run(const Try& wanted, const std::string& name, const Vectors& base, const Vectors& queries,
    const Points& points) {
    const std::size_t n = std::min(wanted.n_rows, base.n);
    std::vector<Point> all;
    for (const Point point : ids_below<Point>(n))
        all.push_back(point);
    const GraphShape shape = {wanted.m, 10};
    CrewShared shared(wanted.n_members);
    std::vector<CountingArena> locals(wanted.n_members);
    std::vector<BatchGraph> graphs(wanted.n_members);
    const double start = seconds(CLOCK_MONOTONIC);
    const double cpu_start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < wanted.n_members; ++i)
        threads.emplace_back([&, i] {
            TimedCrew crew(shared, i == 0);
            graphs[i] = build_batch_graph(crew, locals[i].arena(),
                                          {points.view, all, wanted.options, shape});
        });
    for (std::thread& thread : threads)
        thread.join();
    std::printf("%s: %.2f s, CPU %.2f s, %zu bytes a point, %zu a member; recall", name.c_str(),
                seconds(CLOCK_MONOTONIC) - start, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start,
                shared.memory.n_bytes() / n, locals.back().n_bytes());
    static std::map<std::size_t, std::vector<Found>> truths;
    std::vector<Found>& truth = truths[n];
    if (truth.empty())
        truth = find_exactly(base, n, queries);
    for (const std::size_t ef : {20, 40, 80, 160})
        std::printf(" %.4f", recall(graphs[0], points, base, queries, truth, ef));
    std::printf("\n");
    if (wanted.phases != 0)
        for (const auto& [phase, cpu] : shared.cpu_seconds)
            std::printf("  %-12s CPU %.2f s\n", phase.c_str(), cpu);
    std::fflush(stdout);
}

}  // namespace
}  // namespace vext::core

int
main(int argc, char** argv) {
    using namespace vext::core;
    if (argc < 3) {
        std::fprintf(stderr, "usage: %s BASE QUERIES [TRY]...\n", argv[0]);
        return 1;
    }
    select_simd_level(SimdLevel::kAuto);
    const Vectors base = read_vectors(argv[1]);
    const Vectors queries = read_vectors(argv[2]);
    CountingArena memory;
    const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    const Points points(base, memory.arena());
    std::printf("%zu x %zu, encoding: CPU %.2f s; recall at ef 20 40 80 160\n", base.n, base.n_dims,
                seconds(CLOCK_PROCESS_CPUTIME_ID) - start);
    if (argc == 3)
        run(Try(""), "default", base, queries, points);
    for (int i = 3; i < argc; ++i)
        run(Try(argv[i]), argv[i], base, queries, points);
    return 0;
}
