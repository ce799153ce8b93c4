// The report of tune: its sections, charts and their captions.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/format.h"
#include "tune/describe.h"
#include "tune/present.h"

namespace vext::client {

using report::bytes;
using report::count;
using report::duration;
using report::Fact;
using report::percent;

namespace {

std::vector<Fact>
index_facts(const TuneResult& result) {
    const Index& index = result.index;
    const BuildOptions options = build_options_of(index);
    std::vector<Fact> facts = {{"table", index.table}};
    if (index.n_rows >= 0)
        facts.push_back({"rows, about", count(index.n_rows)});
    facts.push_back({"type", index.type});
    facts.push_back({"distance", metric_title(index.metric)});
    facts.push_back({"m", std::to_string(options.m)});
    facts.push_back({"ef_construction", std::to_string(options.ef_construction)});
    facts.push_back({"index size", bytes(static_cast<double>(index.n_bytes))});
    facts.push_back({"exact search", duration(result.exact.p50)});
    facts.push_back({"ef_search now", std::to_string(result.ef_now)});
    facts.push_back({"extension", index.extension + " " + index.extension_version});
    return facts;
}

report::Axis
time_axis(double low, double high, const std::string& title) {
    return {report::log_scale(low, high), title, duration};
}

std::string
recall_title(const TuneResult& result) {
    return fmt::format("share of the {} nearest rows that is found", result.k);
}

/// An axis of recall that shows these settings and what is wanted.
report::Axis
recall_axis(const TuneResult& result, const std::vector<const Setting*>& settings) {
    double low = result.wanted, high = result.wanted;
    for (const Setting* setting : settings) {
        low = std::min(low, setting->recall);
        high = std::max(high, setting->recall);
    }
    const double all = static_cast<double>(result.n_queries) * result.k;
    return {report::nines_scale(low, high, 0.5 / std::max(all, 1.0)), recall_title(result),
            [](double share) { return percent(share, 2); }};
}

report::Axis
time_axis_of(const std::vector<const Setting*>& settings, const std::string& title) {
    double low = 1e9, high = 0;
    for (const Setting* setting : settings) {
        low = std::min(low, setting->times().p50);
        high = std::max(high, setting->times().p50);
    }
    return time_axis(low, high, title);
}

std::vector<const Setting*>
pointers_to(const std::vector<Setting>& settings) {
    std::vector<const Setting*> pointers;
    for (const Setting& setting : settings)
        pointers.push_back(&setting);
    return pointers;
}

report::Guide
wanted_guide(const TuneResult& result) {
    return {result.wanted, "wanted: " + percent(result.wanted, 2)};
}

report::Section
recall_section(const TuneResult& result) {
    const auto settings = pointers_to(result.settings);
    report::LineChart chart{time_axis_of(settings, "median time of a search"),
                            recall_axis(result, settings),
                            {{result.index.short_name, 1, false, {}}},
                            wanted_guide(result)};
    for (const Setting* setting : settings)
        chart.series[0].points.push_back(
            {setting->times().p50, setting->recall, std::to_string(setting->ef_search),
             title_of(*setting, result), facts_of(result, *setting), setting == chosen_of(result)});
    report::Section section;
    section.id = "recall";
    section.title = "Recall against time";
    section.text = "Up is better, left is faster. The number at each point is its ef_search.";
    section.is_wide = true;
    section.figure = report::Figure{chart,
                                    "Both axes are stretched: equal steps up halve what is missed, "
                                    "or nearly so; equal steps to "
                                    "the right multiply the time.",
                                    table_of(result), 360};
    return section;
}

report::Section
latency_section(const TuneResult& result) {
    double low = 1e9, high = 0;
    for (const Setting& setting : result.settings) {
        low = std::min(low, setting.times().p5);
        high = std::max(high, setting.times().p99);
    }
    report::SpanChart chart{time_axis(low, high, "time of a search"), "ef_search", {}};
    report::Table data;
    data.head = {"ef_search", "5 %", "25 %", "50 %", "75 %", "95 %", "99 %"};
    data.n_left = 0;
    for (const Setting& setting : result.settings) {
        const Times t = setting.times();
        chart.rows.push_back({std::to_string(setting.ef_search), t.p5, t.p25, t.p50, t.p75, t.p99,
                              1, title_of(setting, result), facts_of(result, setting),
                              &setting == chosen_of(result)});
        data.rows.push_back({std::to_string(setting.ef_search), duration(t.p5), duration(t.p25),
                             duration(t.p50), duration(t.p75), duration(t.p95), duration(t.p99)});
    }
    report::Section section;
    section.id = "latency";
    section.title = "How times are spread";
    section.text =
        "Most searches take about the same; the end of the line is what one in a hundred "
        "exceeds.";
    section.figure = report::Figure{
        chart,
        "Dot: half are faster. Thick: the middle half. Line: from the fastest 5 % to 99 %, "
        "with that time beside it.",
        data};
    return section;
}

/// The settings to compare by rank: the least, the chosen one, the largest.
std::vector<const Setting*>
compared(const TuneResult& result) {
    std::vector<const Setting*> found = {&result.settings.front()};
    for (const Setting* one : {chosen_of(result), &result.settings.back()})
        if (one != nullptr && std::find(found.begin(), found.end(), one) == found.end())
            found.push_back(one);
    return found;
}

report::Section
rank_section(const TuneResult& result) {
    const auto settings = compared(result);
    double low = 1;
    std::size_t n_ranks = 0;
    for (const Setting* setting : settings) {
        n_ranks = std::max(n_ranks, setting->by_rank.size());
        for (double share : setting->by_rank)
            low = std::min(low, share);
    }
    // Never so fine a scale that noise looks like a slope.
    low = std::max(0.0, std::min(low, 0.98));
    report::LineChart chart{
        {report::Scale(report::ScaleKind::kLinear, 1, std::max<double>(n_ranks, 2)),
         "rank of the true neighbour, nearest first", report::plain},
        {report::linear_scale(low, 1, false), "share found",
         [](double share) { return percent(share, 1); }},
        {},
        {}};
    report::Table data;
    data.head = {"rank"};
    data.n_left = 0;
    const int colours[] = {2, 1, 3};
    for (std::size_t i = 0; i < settings.size(); i++) {
        const Setting& setting = *settings[i];
        const bool is_chosen = &setting == chosen_of(result);
        const int colour = is_chosen              ? 1
                           : settings.size() == 3 ? colours[i]
                                                  : static_cast<int>(i) + 2;
        chart.series.push_back({fmt::format("ef {}", setting.ef_search), colour, false, {}});
        data.head.push_back(fmt::format("ef_search {}", setting.ef_search));
        const auto groups = group_ranks(setting.by_rank, 20);
        for (std::size_t n = 0; n < groups.size(); n++) {
            const auto& group = groups[n];
            const std::string ranks = group.first == group.last
                                          ? std::to_string(group.first)
                                          : fmt::format("{} to {}", group.first, group.last);
            chart.series.back().points.push_back(
                {(group.first + group.last) / 2.0,
                 group.share,
                 "",
                 fmt::format("rank {}, ef_search {}", ranks, setting.ef_search),
                 {{"found", percent(group.share, 2)}}});
            if (data.rows.size() <= n)
                data.rows.push_back({ranks});
            data.rows[n].push_back(percent(group.share, 2));
        }
    }
    report::Section section;
    section.id = "rank";
    section.title = "Recall by distance rank";
    section.text =
        "Which neighbours are missed: a line that falls to the right misses far ones more "
        "than near ones.";
    section.figure = report::Figure{chart, "", data};
    return section;
}

report::Section
pages_section(const TuneResult& result) {
    double low = 1e18, high = 1;
    for (const Setting& setting : result.settings) {
        low = std::min(low, std::max(setting.pages, 1.0));
        high = std::max(high, setting.pages);
    }
    const double first = result.settings.front().ef_search, last = result.settings.back().ef_search;
    report::LineChart chart{{report::log_scale(first, last), "ef_search", report::plain},
                            {report::log_scale(low, high), "pages a search", count},
                            {{result.index.short_name, 1, false, {}}},
                            {}};
    report::Table data;
    data.head = {"ef_search", "pages"};
    data.n_left = 0;
    for (const Setting& setting : result.settings) {
        chart.series[0].points.push_back(
            {static_cast<double>(setting.ef_search), std::max(setting.pages, 1.0), "",
             title_of(setting, result), facts_of(result, setting), &setting == chosen_of(result)});
        data.rows.push_back({std::to_string(setting.ef_search), count(setting.pages)});
    }
    report::Section section;
    section.id = "pages";
    section.title = "Pages looked at";
    section.text =
        "What a search reads of index and table, 8 kB each: what a cold cache has to "
        "fetch.";
    section.figure =
        report::Figure{chart, "Pages are counted as often as they are looked at.", data};
    return section;
}

report::Section
size_section(const TuneResult& result) {
    const Index& index = result.index;
    struct Part {
        std::string name;
        double n_bytes;
        int colour;
        bool is_hollow;
    };
    std::vector<Part> parts = {{"table", static_cast<double>(index.table_bytes), 6, false}};
    if (index.toast_bytes > 8192)
        parts.push_back({"out of line", static_cast<double>(index.toast_bytes), 6, false});
    if (result.hot_bytes >= 0) {
        parts.push_back({"index, hot", static_cast<double>(result.hot_bytes), 1, false});
        if (result.cold_bytes > 0)
            parts.push_back({"index, cold", static_cast<double>(result.cold_bytes), 4, false});
    } else {
        parts.push_back({"index", static_cast<double>(index.n_bytes), 1, false});
    }
    parts.push_back({"shared_buffers", result.shared_buffers, 6, true});

    double high = 1;
    for (const Part& part : parts)
        high = std::max(high, part.n_bytes);
    // Round numbers of the unit in which people read it.
    double unit = 1;
    while (high / unit >= 1000)
        unit *= 1024;
    const std::string unit_name = bytes(unit).substr(2);
    report::BarChart chart{
        {report::linear_scale(0, high / unit, true), "size",
         [unit_name](double value) { return report::plain(value) + " " + unit_name; }},
        {}};
    report::Table data;
    data.head = {"part", "size", "bytes"};
    for (const Part& part : parts) {
        chart.bars.push_back({part.name,
                              part.n_bytes / unit,
                              bytes(part.n_bytes),
                              part.colour,
                              part.is_hollow,
                              part.name,
                              {{"size", bytes(part.n_bytes)}}});
        data.rows.push_back({part.name, bytes(part.n_bytes), count(part.n_bytes)});
    }
    report::Section section;
    section.id = "sizes";
    section.title = "Sizes";
    const double walked =
        static_cast<double>(result.hot_bytes >= 0 ? result.hot_bytes : index.n_bytes);
    section.text = fmt::format("Every search walks {}, which should fit shared_buffers: it {}.",
                               result.hot_bytes >= 0 ? "the hot part of the index" : "the index",
                               walked <= result.shared_buffers ? "does" : "does not");
    section.figure = report::Figure{chart, "", data};
    return section;
}

report::Section
rebuild_section(const TuneResult& result) {
    std::vector<const Setting*> settings;
    std::vector<int> different_m, different_ef;
    for (const Rebuild& rebuild : result.rebuilds) {
        for (const Setting& setting : rebuild.settings)
            settings.push_back(&setting);
        different_m.push_back(rebuild.options.m);
        different_ef.push_back(rebuild.options.ef_construction);
    }
    for (auto* values : {&different_m, &different_ef}) {
        std::sort(values->begin(), values->end());
        values->erase(std::unique(values->begin(), values->end()), values->end());
    }
    report::LineChart chart{time_axis_of(settings, "median time of a search"),
                            recall_axis(result, settings),
                            {},
                            wanted_guide(result)};
    for (const Rebuild& rebuild : result.rebuilds) {
        const auto place = std::find(different_m.begin(), different_m.end(), rebuild.options.m);
        const std::string name =
            fmt::format("{} · {}", rebuild.options.m, rebuild.options.ef_construction);
        report::Series series{name,
                              static_cast<int>(place - different_m.begin()) % 6 + 1,
                              rebuild.options.ef_construction != different_ef.front(),
                              {}};
        for (const Setting& setting : rebuild.settings)
            series.points.push_back(
                {setting.times().p50, setting.recall, "",
                 fmt::format("m {}, ef_construction {}, ef_search {}", rebuild.options.m,
                             rebuild.options.ef_construction, setting.ef_search),
                 facts_of(result, setting), false});
        chart.series.push_back(std::move(series));
    }
    report::Section section;
    section.id = "rebuilds";
    section.title = "If it were built otherwise";
    section.text = fmt::format(
        "Indexes of {} rows of the table, each with other options. The more "
        "a line lies up and left, the better.",
        count(static_cast<double>(result.n_copied)));
    section.is_wide = true;
    section.figure =
        report::Figure{chart,
                       "At the end of each line: m · ef_construction. Dashed: a larger "
                       "ef_construction. Fewer rows are found faster, so compare lines "
                       "with each other only.",
                       rebuild_table(result), 400};
    section.table = rebuild_table(result);
    return section;
}

std::string
method_of(const TuneResult& result) {
    return fmt::format(
        "Measured {} by {} ({}). {}; recall beside exact search, which took {} a query. Times are "
        "those of prepared statements as the client sees them, one connection; the way to the "
        "server "
        "and back is {} of it. ± is the interval that holds the recall of all such queries with 95 "
        "% "
        "probability.",
        result.when, result.command, result.server, result.queries, duration(result.exact.p50),
        duration(result.round_trip));
}

}  // namespace

report::Page
to_page(const TuneResult& result) {
    report::Page page;
    page.eyebrow = "vector-bulk tune";
    page.title = result.index.short_name;
    page.lead = summary_of(result);
    page.facts = index_facts(result);
    report::Section setting;
    setting.id = "setting";
    setting.title = "What to set";
    setting.is_wide = true;
    if (chosen_of(result) != nullptr) {
        setting.text = result.index.is_ours()
                           ? "The option serves all sessions that do not set hnsw.ef_search "
                             "themselves; the setting serves one session."
                           : "For new sessions of the database, or for one session.";
        setting.code = proposed_sql(result);
    } else {
        setting.text =
            "The wanted recall is not reached by ef_search alone; --rebuild measures what "
            "other options of the index would give.";
    }
    page.sections = {setting,
                     recall_section(result),
                     latency_section(result),
                     rank_section(result),
                     pages_section(result),
                     size_section(result)};
    if (!result.rebuilds.empty())
        page.sections.push_back(rebuild_section(result));
    report::Section all;
    all.id = "numbers";
    all.title = "All numbers";
    all.is_wide = true;
    all.table = table_of(result);
    page.sections.push_back(all);
    page.footer = method_of(result);
    return page;
}

}  // namespace vext::client
