#include "tune/present.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "report/format.h"
#include "report/text_table.h"
#include "tune/describe.h"

namespace vext::client {

using report::bytes;
using report::count;
using report::duration;
using report::percent;

namespace {

nlohmann::json
to_json(const Setting& setting) {
    const Times times = setting.times();
    return {{"ef_search", setting.ef_search}, {"recall", setting.recall},
            {"recall_error", setting.error},  {"mean_us", times.mean * 1e6},
            {"p50_us", times.p50 * 1e6},      {"p95_us", times.p95 * 1e6},
            {"p99_us", times.p99 * 1e6},      {"searches", times.n},
            {"pages", setting.pages},         {"recall_by_rank", setting.by_rank}};
}

nlohmann::json
to_json(const std::vector<Setting>& settings) {
    nlohmann::json list = nlohmann::json::array();
    for (const Setting& setting : settings)
        list.push_back(to_json(setting));
    return list;
}

}  // namespace

std::string
summary_of(const TuneResult& result) {
    const Setting* chosen = chosen_of(result);
    std::string text;
    if (chosen == nullptr) {
        const Setting& best = result.settings.back();
        text = fmt::format(
            "No ef_search up to {} reaches a recall of {}: the best is {} in {}. "
            "Build the index with a larger m or ef_construction.",
            best.ef_search, percent(result.wanted, 2), recall_of(result, best),
            duration(best.times().p50));
    } else {
        text = fmt::format(
            "With ef_search {} a search finds {} of the {} nearest rows in {} "
            "(median), {} times faster than exact search.",
            chosen->ef_search, recall_of(result, *chosen), result.k, duration(chosen->times().p50),
            times_faster(result.exact.p50, chosen->times().p50));
    }
    const Setting* now = setting_now(result);
    if (now != nullptr && now != chosen)
        text += fmt::format(" The setting now, {}, finds {} in {}.", now->ef_search,
                            recall_of(result, *now), duration(now->times().p50));
    return text;
}

std::vector<std::string>
proposed_sql(const TuneResult& result) {
    const Setting* chosen = chosen_of(result);
    if (chosen == nullptr)
        return {};
    const std::string session = fmt::format("SET hnsw.ef_search = {};", chosen->ef_search);
    if (result.index.is_ours())
        return {fmt::format("ALTER INDEX {} SET (ef_search = {});", result.index.name,
                            chosen->ef_search),
                session};
    return {fmt::format("ALTER DATABASE {} SET hnsw.ef_search = {};", result.database,
                        chosen->ef_search),
            session};
}

std::string
to_text(const TuneResult& result) {
    const Index& index = result.index;
    const BuildOptions options = build_options_of(index);
    std::string text = fmt::format(
        "{} on {}: {}, {} distance, m {}, ef_construction {}, {}\n{}; recall@{} beside exact "
        "search "
        "({} a query)\n\n",
        index.name, index.table, index.type, metric_title(index.metric), options.m,
        options.ef_construction, bytes(static_cast<double>(index.n_bytes)), result.queries,
        result.k, duration(result.exact.p50));
    text += report::to_text(table_of(result));
    if (!result.rebuilds.empty())
        text += fmt::format("\nbuilt otherwise, on {} rows (*: as it is now)\n\n",
                            count(static_cast<double>(result.n_copied))) +
                report::to_text(rebuild_table(result));
    text += "\n" + summary_of(result) + "\n";
    const auto sql = proposed_sql(result);
    if (!sql.empty())
        text += fmt::format("    {}\n    {}    -- or so, for one session\n", sql[0], sql[1]);
    return text;
}

nlohmann::json
to_json(const TuneResult& result) {
    const Index& index = result.index;
    const BuildOptions options = build_options_of(index);
    nlohmann::json json = {{"index", index.name},
                           {"table", index.table},
                           {"extension", index.extension},
                           {"metric", index.metric},
                           {"dims", index.n_dims},
                           {"m", options.m},
                           {"ef_construction", options.ef_construction},
                           {"index_bytes", index.n_bytes},
                           {"k", result.k},
                           {"queries", result.n_queries},
                           {"wanted_recall", result.wanted},
                           {"exact_mean_us", result.exact.mean * 1e6},
                           {"exact_p50_us", result.exact.p50 * 1e6},
                           {"round_trip_us", result.round_trip * 1e6},
                           {"ef_search_now", result.ef_now},
                           {"settings", to_json(result.settings)},
                           {"chosen_ef_search", nullptr},
                           {"sql", proposed_sql(result)}};
    if (const Setting* chosen = chosen_of(result))
        json["chosen_ef_search"] = chosen->ef_search;
    if (!result.rebuilds.empty())
        json["rebuild_rows"] = result.n_copied;
    for (const Rebuild& rebuild : result.rebuilds)
        json["rebuilds"].push_back({{"m", rebuild.options.m},
                                    {"ef_construction", rebuild.options.ef_construction},
                                    {"is_current", rebuild.is_current},
                                    {"build_seconds", rebuild.seconds},
                                    {"index_bytes", rebuild.n_bytes},
                                    {"settings", to_json(rebuild.settings)}});
    return json;
}

}  // namespace vext::client
