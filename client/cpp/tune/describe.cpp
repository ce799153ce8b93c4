#include "tune/describe.h"

#include <fmt/format.h>

#include "report/format.h"

namespace vext::client {

using report::bytes;
using report::count;
using report::duration;
using report::Fact;
using report::percent;

namespace {

/// Decimals that tell one miss of all the neighbours looked for.
int
decimals_of(const TuneResult& result) {
    return result.n_queries * static_cast<std::size_t>(result.k) >= 2000 ? 2 : 1;
}

std::string
error_of(const Setting& setting) {
    return fmt::format("± {:.1f}", 100 * setting.error);
}

}  // namespace

std::string
recall_of(const TuneResult& result, const Setting& setting) {
    return percent(setting.recall, decimals_of(result));
}

const Setting*
chosen_of(const TuneResult& result) {
    return result.chosen < 0 ? nullptr : &result.settings[static_cast<std::size_t>(result.chosen)];
}

const Setting*
setting_now(const TuneResult& result) {
    for (const Setting& setting : result.settings)
        if (setting.ef_search == result.ef_now)
            return &setting;
    return nullptr;
}

std::string
times_faster(double slow, double fast) {
    const double times = fast > 0 ? slow / fast : 0;
    return times >= 10 ? count(times) : fmt::format("{:.1f}", times);
}

std::string
title_of(const Setting& setting, const TuneResult& result) {
    return fmt::format("ef_search {}{}", setting.ef_search,
                       setting.ef_search == result.ef_now ? " (the setting now)" : "");
}

std::vector<Fact>
facts_of(const TuneResult& result, const Setting& setting) {
    const Times times = setting.times();
    return {{"recall", recall_of(result, setting) + " " + error_of(setting)},
            {"mean time", duration(times.mean)},
            {"half within", duration(times.p50)},
            {"95 % within", duration(times.p95)},
            {"99 % within", duration(times.p99)},
            {"pages", count(setting.pages)}};
}

report::Table
table_of(const TuneResult& result) {
    report::Table table;
    table.head = {"ef_search", "recall", "± 95 %", "mean", "p50", "p95", "p99", "pages", "faster"};
    table.n_left = 0;
    if (result.chosen >= 0)
        table.chosen = result.chosen;
    for (const Setting& setting : result.settings) {
        const Times times = setting.times();
        table.rows.push_back({std::to_string(setting.ef_search), recall_of(result, setting),
                              fmt::format("{:.1f}", 100 * setting.error), duration(times.mean),
                              duration(times.p50), duration(times.p95), duration(times.p99),
                              count(setting.pages),
                              times_faster(result.exact.p50, times.p50) + "x"});
    }
    return table;
}

const Setting*
reached_by(const Rebuild& rebuild, double wanted) {
    const int at = choose(rebuild.settings, wanted);
    return at < 0 ? nullptr : &rebuild.settings[static_cast<std::size_t>(at)];
}

report::Table
rebuild_table(const TuneResult& result) {
    report::Table table;
    table.head = {"m",
                  "ef_construction",
                  "build",
                  "size",
                  "ef_search for " + percent(result.wanted),
                  "recall there",
                  "half within"};
    table.n_left = 0;
    for (const Rebuild& rebuild : result.rebuilds) {
        const Setting* reached = reached_by(rebuild, result.wanted);
        if (rebuild.is_current)
            table.chosen = static_cast<int>(table.rows.size());
        table.rows.push_back(
            {std::to_string(rebuild.options.m), std::to_string(rebuild.options.ef_construction),
             duration(rebuild.seconds), bytes(static_cast<double>(rebuild.n_bytes)),
             reached ? std::to_string(reached->ef_search) : "not reached",
             reached ? recall_of(result, *reached) : "",
             reached ? duration(reached->times().p50) : ""});
    }
    return table;
}

}  // namespace vext::client
