// What tune counts, chooses and tells: recall with equal distances, percentiles, the search for the
// least ef_search, options of rebuilds, and its text, JSON and report.

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "error.h"
#include "report/page.h"
#include "tune/present.h"
#include "tune/rebuild.h"
#include "tune/searches.h"
#include "tune/statistics.h"

namespace vext::client {

namespace {

using Ranks = std::vector<bool>;

/// An index of vector_ext whose settings have these recalls.
TuneResult
make_result(const std::vector<double>& recalls) {
    TuneResult result;
    result.index = {};
    result.index.name = "public.items_v_idx";
    result.index.short_name = "items_v_idx";
    result.index.table = "public.items";
    result.index.type = "vector(3)";
    result.index.metric = "l2";
    result.index.extension = "vector_ext";
    result.index.n_rows = 60000;
    result.index.n_bytes = 1 << 20;
    result.index.table_bytes = 1 << 24;
    result.queries = "100 rows of public.q";
    result.n_queries = 100;
    result.exact.mean = result.exact.p50 = 0.01;
    result.ef_now = 40;
    result.database = "demo";
    result.shared_buffers = 1 << 27;
    int ef = 10;
    for (double recall : recalls) {
        Setting setting{ef, recall, 0.01, {1, recall}, {}, 120};
        for (int i = 1; i <= 100; i++)
            setting.seconds.push_back(1e-6 * i * ef / 10);
        result.settings.push_back(setting);
        ef *= 2;
    }
    result.chosen = choose(result.settings, result.wanted);
    return result;
}

}  // namespace

TEST(TuneStatistics, CountsRanksByDistance) {
    EXPECT_EQ(ranks_found({1, 2, 3}, {3, 1}), (Ranks{true, false, true}));
    EXPECT_EQ(ranks_found({1, 2, 3}, {}), (Ranks{false, false, false}));
    EXPECT_EQ(ranks_found({}, {1}), Ranks{});
    // Of three equally far rows any will do, and one of them counts once.
    EXPECT_EQ(ranks_found({1, 2, 2, 2}, {2, 1, 2}), (Ranks{true, true, true, false}));
    EXPECT_EQ(ranks_found({2}, {2, 2, 2}), Ranks{true});
    EXPECT_EQ(ranks_found({1, 2}, {1.5, 7}), (Ranks{false, false}));
}

TEST(TuneStatistics, AveragesRecall) {
    RecallCount count(4);
    EXPECT_EQ(count.recall(), 1);
    count.add({true, true, true, true});
    count.add({true, true, false, false});
    count.add({});  // a query without neighbours says nothing
    EXPECT_DOUBLE_EQ(count.recall(), 0.75);
    EXPECT_EQ(count.by_rank(), (std::vector<double>{1, 1, 0.5, 0.5}));
    // Two values 1 and 0.5: their deviation is 0.3536, that of the mean 0.25.
    EXPECT_NEAR(count.error(), 1.96 * 0.25, 1e-9);
    RecallCount few(10);
    few.add({true, false});  // the table has two rows
    EXPECT_DOUBLE_EQ(few.recall(), 0.5);
    EXPECT_EQ(few.by_rank().size(), 2u);
}

TEST(TuneStatistics, SummarizesTimes) {
    std::vector<double> seconds;
    for (int i = 100; i >= 1; i--)
        seconds.push_back(i);
    const Times times = summarize(seconds);
    EXPECT_EQ(times.mean, 50.5);
    EXPECT_EQ(times.p5, 5);
    EXPECT_EQ(times.p50, 50);
    EXPECT_EQ(times.p95, 95);
    EXPECT_EQ(times.p99, 99);
    EXPECT_EQ(times.n, 100u);
    EXPECT_EQ(summarize({7}).p99, 7);
    EXPECT_EQ(summarize({}).n, 0u);
}

TEST(TuneStatistics, ClimbsFromWhatReturnsEnoughRows) {
    EXPECT_EQ(ladder(10, 1000), (std::vector<int>{10, 20, 40, 80, 160, 320, 640, 1000}));
    EXPECT_EQ(ladder(1, 40), (std::vector<int>{10, 20, 40}));
    EXPECT_EQ(ladder(600, 1000), (std::vector<int>{600, 1000}));
    EXPECT_EQ(ladder(1000, 1000), (std::vector<int>{1000}));
}

TEST(TuneStatistics, FindsTheLeastThatSuffices) {
    for (int wanted = 11; wanted <= 1000; wanted++) {
        Bracket bracket{10, 1000};
        int n = 0;
        while (const auto ef = next_try(bracket)) {
            ASSERT_GT(*ef, bracket.too_low);
            ASSERT_LT(*ef, bracket.enough);
            (*ef >= wanted ? bracket.enough : bracket.too_low) = *ef;
            ASSERT_LT(++n, 12);
        }
        EXPECT_GE(bracket.enough, wanted);
        EXPECT_LE(bracket.enough, wanted + std::max(1, bracket.enough / 20));
    }
}

TEST(TuneStatistics, GroupsRanks) {
    const auto alone = group_ranks({1, 0.5}, 20);
    ASSERT_EQ(alone.size(), 2u);
    EXPECT_EQ(alone[1].first, 2);
    EXPECT_EQ(alone[1].last, 2);
    const auto groups = group_ranks(std::vector<double>(101, 0.5), 20);
    ASSERT_EQ(groups.size(), 17u);
    EXPECT_EQ(groups.back().first, 97);
    EXPECT_EQ(groups.back().last, 101);
    EXPECT_DOUBLE_EQ(groups.back().share, 0.5);
}

TEST(TuneRebuild, CombinesOptions) {
    using List = std::vector<BuildOptions>;
    const BuildOptions now = {16, 64};
    EXPECT_EQ(parse_rebuild({"m=8,16"}, now), (List{{16, 64}, {8, 64}}));
    EXPECT_EQ(parse_rebuild({"m=8,40", "ef_construction=64,128"}, now),
              (List{{16, 64}, {8, 64}, {8, 128}, {40, 128}}));  // not 40 with 64
    EXPECT_EQ(parse_rebuild({"ef_construction=32"}, now), (List{{16, 64}, {16, 32}}));
    for (const char* word : {"m", "m=", "m=1", "m=101", "m=8x", "m=8,,16", "ef=64", "=8", ""})
        EXPECT_THROW(parse_rebuild({word}, now), UsageError) << word;
}

TEST(TunePresent, ProposesTheLeastThatReaches) {
    const TuneResult result = make_result({0.91, 0.97, 0.99});
    EXPECT_EQ(result.chosen, 1);
    EXPECT_EQ(
        summary_of(result),
        "With ef_search 20 a search finds 97 % of the 10 nearest rows in 100 µs (median), 100 "
        "times faster than exact search. The setting now, 40, finds 99 % in 200 µs.");
    EXPECT_EQ(proposed_sql(result),
              (std::vector<std::string>{"ALTER INDEX public.items_v_idx SET (ef_search = 20);",
                                        "SET hnsw.ef_search = 20;"}));
    const std::string text = to_text(result);
    EXPECT_NE(text.find("\n*        20    97 %"), std::string::npos) << text;
    EXPECT_NE(text.find("ALTER INDEX"), std::string::npos);
    const nlohmann::json json = to_json(result);
    EXPECT_EQ(json["chosen_ef_search"], 20);
    EXPECT_EQ(json["settings"].size(), 3u);
    EXPECT_DOUBLE_EQ(json["settings"][0]["recall"].get<double>(), 0.91);
}

TEST(TunePresent, ProposesWhatPgvectorUnderstands) {
    TuneResult result = make_result({0.97});
    result.index.extension = "vector";
    EXPECT_EQ(proposed_sql(result)[0], "ALTER DATABASE demo SET hnsw.ef_search = 10;");
}

TEST(TunePresent, SaysWhenNothingReaches) {
    const TuneResult result = make_result({0.5, 0.6, 0.7});
    EXPECT_EQ(result.chosen, -1);
    EXPECT_EQ(summary_of(result).find("No ef_search up to 40 reaches a recall of 95 %"), 0u);
    EXPECT_TRUE(proposed_sql(result).empty());
    EXPECT_TRUE(to_json(result)["chosen_ef_search"].is_null());
    EXPECT_NE(render(to_page(result)).find("--rebuild"), std::string::npos);
}

TEST(TunePresent, ReportsAnyResult) {
    for (const auto& recalls :
         {std::vector<double>{1.0}, {0.0}, {0.0, 1.0}, {0.999, 0.9995, 1.0}}) {
        TuneResult result = make_result(recalls);
        const std::string html = render(to_page(result));
        EXPECT_EQ(html.find("nan"), std::string::npos);
        EXPECT_NE(html.find("id=\"recall-title\""), std::string::npos);
        EXPECT_EQ(html.find("rebuilds-title"), std::string::npos);
        Rebuild rebuild{{16, 64}, true, 1.5, 1 << 20, result.settings};
        result.rebuilds = {rebuild, rebuild};
        result.rebuilds[1].options.m = 8;
        EXPECT_NE(render(to_page(result)).find("rebuilds-title"), std::string::npos);
        EXPECT_NE(to_text(result).find("built otherwise"), std::string::npos);
    }
}

}  // namespace vext::client
