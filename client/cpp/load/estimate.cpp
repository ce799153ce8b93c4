// load --dry-run: reads and judges every row, sends none, and tells what the load would take.

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "load/load.h"
#include "server/extension.h"
#include "streams.h"

namespace vext::client {

namespace {

class NoSink final : public Sink {
   public:
    void
    put(const Encoded& piece) override {
        n_bytes_ += piece.bytes.size();
    }
    void
    finish() override {}
    void
    abandon() noexcept override {}

    std::uint64_t
    n_bytes() const {
        return n_bytes_;
    }

   private:
    std::uint64_t n_bytes_ = 0;
};

struct IndexEstimate {
    std::string build_time;
    std::uint64_t build_memory = 0;
    std::uint64_t n_bytes = 0;
};

std::optional<IndexEstimate>
estimate_index(LoadContext& context, std::uint64_t n_rows) {
    const std::optional<std::string> function = find_function(context.connection, "hnsw_estimate");
    if (!function || context.stats.dimension == 0)
        return std::nullopt;
    const IndexOptions& index = context.options.index;
    const Result found = context.connection.query(
        fmt::format(
            "SELECT build_time, build_memory, total_bytes FROM {}($1::bigint, $2::int, $3::int, "
            "$4::int, $5)",
            *function),
        {std::to_string(n_rows), std::to_string(context.stats.dimension),
         std::to_string(index.m.value_or(16)), std::to_string(index.ef_construction.value_or(64)),
         index.metric.empty() ? "l2" : index.metric});
    return IndexEstimate{found.string(0, 0), static_cast<std::uint64_t>(found.integer(0, 1)),
                         static_cast<std::uint64_t>(found.integer(0, 2))};
}

}  // namespace

void
estimate_load(LoadContext& context) {
    RejectLog rejects(input_names(context.inputs), context.options.max_errors,
                      context.options.reject_file);
    NoSink sink;
    const auto start = std::chrono::steady_clock::now();
    const PipelineCounts counts = pump(context, {&sink}, rejects);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    // A row in a page has a header of 24 bytes and a line pointer of 4 beside its values.
    const std::uint64_t n_table = sink.n_bytes() + 20 * counts.n_sent;
    const std::optional<IndexEstimate> index = estimate_index(context, counts.n_sent);
    if (context.options.report.wants_json()) {
        nlohmann::ordered_json object = {
            {"command", "dry-run"},          {"table", context.stats.table},
            {"vectors", counts.n_sent},      {"dimension", context.stats.dimension},
            {"rejected", counts.n_rejected}, {"read_seconds", seconds},
            {"table_bytes", n_table}};
        if (index) {
            object["index_build_time"] = index->build_time;
            object["index_build_memory"] = index->build_memory;
            object["index_bytes"] = index->n_bytes;
        }
        print("{}\n", object.dump());
        return;
    }
    print("would load {} vectors of {} dimensions into {}{}: about {}\n",
          with_thousands(counts.n_sent), context.stats.dimension, context.stats.table,
          context.plan.create.empty() ? "" : ", made anew", human_bytes(n_table));
    if (counts.n_rejected > 0)
        print("would reject {} rows\n", with_thousands(counts.n_rejected));
    print("reading and judging them took {:.2f} s\n", seconds);
    if (index)
        print("an index of them: {}, built in {} with maintenance_work_mem of {}\n",
              human_bytes(index->n_bytes), index->build_time, human_bytes(index->build_memory));
}

}  // namespace vext::client
