#include "tune/searches.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "error.h"

namespace vext::client {

namespace {

constexpr int kMostEf = 1000;                 // of both extensions
constexpr std::size_t kEnoughSamples = 1000;  // ten of them are beyond the 99th hundredth
constexpr double kTimeBudget = 20;            // seconds

using Clock = std::chrono::steady_clock;

double
seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The names of all indexes in a plan.
void
collect_indexes(const nlohmann::json& plan, std::vector<std::string>& names) {
    if (plan.contains("Index Name"))
        names.push_back(plan["Index Name"]);
    if (plan.contains("Plans"))
        for (const auto& below : plan["Plans"])
            collect_indexes(below, names);
}

}  // namespace

Searches::Searches(Connection& connection, SearchTarget target, const QuerySet& queries, int k,
                   Progress& progress)
    : connection_(connection),
      target_(std::move(target)),
      queries_(queries),
      k_(k),
      progress_(progress) {
}

std::string
Searches::statement(const std::string& columns) const {
    // One row more is asked for where one of them is the query itself.
    return fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} {} $1 LIMIT {}", columns,
                       target_.table, target_.predicate, target_.expression, target_.distance,
                       k_ + (queries_.is_sampled() ? 1 : 0));
}

/// The distances of an answer of (distance, ctid), without the query's own row and without what has
/// no place: the distance of a NULL, or of a vector of zeros by cosine.
std::vector<double>
Searches::distances(const Result& rows, std::size_t query) const {
    std::vector<double> found;
    for (int row = 0; row < rows.n_rows(); row++) {
        if (rows.is_null(row, 0) ||
            (queries_.is_sampled() && rows.text(row, 1) == queries_.own[query]))
            continue;
        const double distance = rows.number(row, 0);
        if (!std::isnan(distance) && static_cast<int>(found.size()) < k_)
            found.push_back(distance);
    }
    return found;
}

void
Searches::find_exact() {
    connection_.execute(
        "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; "
        "SET LOCAL enable_seqscan = on; SET LOCAL jit = off");
    std::string sql =
        statement(fmt::format("{} {} $1, ctid", target_.expression, target_.distance));
    if (target_.is_guarded)
        sql = fmt::format(
            "SELECT v {0} $1, ctid FROM (SELECT {1} AS v, ctid FROM {2} WHERE {3} "
            "OFFSET 0) s ORDER BY v {0} $1 LIMIT {4}",
            target_.distance, target_.expression, target_.table, target_.predicate,
            k_ + (queries_.is_sampled() ? 1 : 0));
    connection_.prepare("tune_exact", sql, target_.type_oid);
    progress_.begin("searching exactly", queries_.wire.size(), "queries");
    exact_.clear();
    exact_seconds_.clear();
    for (std::size_t i = 0; i < queries_.wire.size(); i++) {
        const auto start = Clock::now();
        const Result rows = connection_.run_prepared("tune_exact", queries_.wire[i]);
        exact_seconds_.push_back(seconds_since(start));
        exact_.push_back(distances(rows, i));
        progress_.set(i + 1);
    }
    progress_.end();
    connection_.execute("DEALLOCATE tune_exact");
}

void
Searches::use_index(std::uint32_t oid) {
    connection_.execute(
        "SET LOCAL enable_indexscan = on; SET LOCAL enable_seqscan = off; "
        "SET LOCAL enable_sort = off; SET LOCAL max_parallel_workers_per_gather = 0; "
        "SET LOCAL plan_cache_mode = force_generic_plan");
    // The column may have other indexes.
    if (target_.is_ours)
        connection_.execute(fmt::format("SET LOCAL vector_ext.only_index = '{}'", oid));
    const Result plan = connection_.query_binary("EXPLAIN (FORMAT JSON) " + statement("ctid"),
                                                 queries_.wire.at(0), target_.type_oid);
    std::vector<std::string> names;
    collect_indexes(nlohmann::json::parse(plan.text(0, 0))[0]["Plan"], names);
    if (std::find(names.begin(), names.end(), target_.index) == names.end())
        throw Error(
            ExitCode::kStopped,
            fmt::format("the planner does not search by \"{}\" but {}", target_.index,
                        names.empty() ? "by none" : fmt::format("by \"{}\"", names.front())),
            names.empty() ? ""
                          : "where a column has several such indexes, measure the one "
                            "that is used, or drop it");
    connection_.execute("DEALLOCATE ALL");
    connection_.prepare(
        "tune_recall",
        statement(fmt::format("{} {} $1, ctid", target_.expression, target_.distance)),
        target_.type_oid);
    connection_.prepare("tune_time", statement("ctid"), target_.type_oid);
    connection_.prepare("tune_round_trip", "SELECT $1 IS NULL", target_.type_oid);
}

void
Searches::set_ef(int ef_search) {
    // A sampled row takes a place of its own, which a query that is no row does not need.
    const int places = std::min(ef_search + (queries_.is_sampled() ? 1 : 0), kMostEf);
    connection_.execute(fmt::format("SET LOCAL hnsw.ef_search = {}", places));
}

Setting
Searches::measure_recall(int ef_search) {
    Setting setting{.ef_search = ef_search, .by_rank = {}, .seconds = {}};
    set_ef(ef_search);
    RecallCount count(static_cast<std::size_t>(k_));
    for (std::size_t i = 0; i < queries_.wire.size(); i++) {
        const Result rows = connection_.run_prepared("tune_recall", queries_.wire[i]);
        count.add(ranks_found(exact_[i], distances(rows, i)));
    }
    setting.recall = count.recall();
    setting.error = count.error();
    setting.by_rank = count.by_rank();
    return setting;
}

void
Searches::time_once(Setting& setting) {
    set_ef(setting.ef_search);
    for (const auto& query : queries_.wire) {
        const auto start = Clock::now();
        connection_.run_prepared("tune_time", query);
        setting.seconds.push_back(seconds_since(start));
    }
}

void
Searches::count_pages(Setting& setting, std::size_t n_queries) {
    set_ef(setting.ef_search);
    // A glance reads a page without pinning it, which the server does not count.
    if (target_.is_ours)
        connection_.execute("SET LOCAL vector_ext.glance_reads = off");
    n_queries = std::min(n_queries, queries_.wire.size());
    double pages = 0;
    for (std::size_t i = 0; i < n_queries; i++) {
        const Result rows = connection_.query_binary(
            "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + statement("ctid"),
            queries_.wire[i], target_.type_oid);
        const auto plan = nlohmann::json::parse(rows.text(0, 0))[0]["Plan"];
        for (const char* kind :
             {"Shared Hit Blocks", "Shared Read Blocks", "Local Hit Blocks", "Local Read Blocks"})
            pages += plan.value(kind, 0.0);
    }
    if (target_.is_ours)
        connection_.execute("SET LOCAL vector_ext.glance_reads = on");
    setting.pages = pages / static_cast<double>(std::max<std::size_t>(n_queries, 1));
}

double
Searches::round_trip() {
    std::vector<double> seconds;
    for (int i = 0; i < 200; i++) {
        const auto start = Clock::now();
        connection_.run_prepared("tune_round_trip",
                                 queries_.wire[static_cast<std::size_t>(i) % queries_.wire.size()]);
        seconds.push_back(seconds_since(start));
    }
    return summarize(std::move(seconds)).p50;
}

namespace {

/// Adds what lies between the last value that does not reach the recall and the first that does.
void
refine(Searches& searches, std::vector<Setting>& settings, const Sweep& sweep, Progress& progress) {
    const int at = choose(settings, sweep.wanted);
    if (at <= 0)
        return;
    Bracket bracket{settings[static_cast<std::size_t>(at - 1)].ef_search,
                    settings[static_cast<std::size_t>(at)].ef_search};
    Setting best = settings[static_cast<std::size_t>(at)];
    std::uint64_t n_done = settings.size();
    while (const auto ef = next_try(bracket)) {
        Setting setting = searches.measure_recall(*ef);
        progress.set(++n_done);
        if (setting.recall >= sweep.wanted) {
            bracket.enough = *ef;
            best = std::move(setting);
        } else {
            bracket.too_low = *ef;
        }
    }
    Setting& first = settings[static_cast<std::size_t>(at)];
    if (best.ef_search == first.ef_search)
        return;
    // A step of the ladder close above it tells nothing more.
    if (first.ef_search * 4 <= best.ef_search * 5 && first.ef_search != sweep.ef_now)
        first = std::move(best);
    else
        settings.insert(settings.begin() + at, std::move(best));
}

/// The recall wanted is reached, and a larger ef_search finds no more.
bool
has_seen_all(const std::vector<Setting>& settings, double wanted) {
    const double recall = settings.back().recall;
    return recall >= wanted &&
           (recall >= 0.9995 ||
            (settings.size() > 1 && recall <= settings[settings.size() - 2].recall));
}

}  // namespace

std::vector<Setting>
measure_settings(Searches& searches, const Sweep& sweep, std::size_t n_queries,
                 Progress& progress) {
    const bool is_free = sweep.given.empty();
    std::vector<int> values = is_free ? ladder(sweep.k, kMostEf) : sweep.given;
    if (sweep.ef_now >= sweep.k)
        values.push_back(sweep.ef_now);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());

    progress.begin("measuring recall", 0, "settings");
    std::vector<Setting> settings;
    searches.measure_recall(values.front());  // warms what it reads
    for (int ef : values) {
        settings.push_back(searches.measure_recall(ef));
        progress.set(settings.size());
        if (is_free && ef >= sweep.ef_now && has_seen_all(settings, sweep.wanted))
            break;
    }
    if (is_free)
        refine(searches, settings, sweep, progress);
    progress.end();

    const std::size_t n_rounds = std::max<std::size_t>(kEnoughSamples / n_queries, 2);
    progress.begin("timing", n_rounds, "rounds");
    const auto start = Clock::now();
    for (std::size_t round = 0; round < n_rounds; round++) {
        for (Setting& setting : settings)
            searches.time_once(setting);
        progress.set(round + 1);
        if (seconds_since(start) > kTimeBudget)
            break;
    }
    progress.end();
    for (Setting& setting : settings)
        searches.count_pages(setting, 20);
    return settings;
}

int
choose(const std::vector<Setting>& settings, double wanted) {
    for (std::size_t i = 0; i < settings.size(); i++)
        if (settings[i].recall >= wanted)
            return static_cast<int>(i);
    return -1;
}

}  // namespace vext::client
