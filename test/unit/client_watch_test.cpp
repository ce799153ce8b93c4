// What watch reads from the progress views of any server version, the rates it tells from two
// looks, and its lines.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/text_table.h"
#include "watch/operation.h"
#include "watch/view.h"

namespace vext::client {

namespace {

using nlohmann::json;

Operation
linking(double done, double total) {
    Operation operation = read_operation("create_index", {{"pid", 7},
                                                          {"command", "CREATE INDEX"},
                                                          {"phase", "building index: linking"},
                                                          {"blocks_total", 90},
                                                          {"blocks_done", 90},
                                                          {"tuples_done", done},
                                                          {"tuples_total", total}});
    operation.relation = "items";
    operation.seconds = 3;
    return operation;
}

}  // namespace

TEST(WatchOperation, ReadsCopy) {
    const Operation file = read_operation("copy", {{"pid", 5},
                                                   {"command", "COPY FROM"},
                                                   {"bytes_processed", 2048},
                                                   {"bytes_total", 8192},
                                                   {"tuples_processed", 1234},
                                                   {"tuples_skipped", 2}});
    EXPECT_EQ(file.pid, 5);
    EXPECT_EQ(file.phase, "loading");
    EXPECT_EQ(file.share(), 0.25);
    EXPECT_EQ(file.detail, "1,234 rows, 2 skipped");
    // From a client the size is not known.
    const Operation client = read_operation("copy", {{"pid", 5},
                                                     {"command", "COPY FROM"},
                                                     {"bytes_processed", 2048},
                                                     {"bytes_total", 0},
                                                     {"tuples_processed", 1234}});
    EXPECT_EQ(client.unit, "rows");
    EXPECT_EQ(client.done, 1234);
    EXPECT_EQ(client.share(), std::nullopt);
}

TEST(WatchOperation, ReadsCreateIndex) {
    const Operation operation = linking(500, 2000);
    EXPECT_EQ(operation.phase, "linking");
    EXPECT_EQ(operation.unit, "rows");
    EXPECT_EQ(operation.share(), 0.25);
    const Operation loading =
        read_operation("create_index", {{"command", "REINDEX CONCURRENTLY"},
                                        {"phase", "building index: loading tuples"},
                                        {"blocks_total", 90},
                                        {"blocks_done", 45},
                                        {"tuples_total", 0}});
    EXPECT_EQ(loading.unit, "pages");
    EXPECT_EQ(loading.share(), 0.5);
    const Operation waiting = read_operation(
        "create_index",
        {{"phase", "waiting for old snapshots"}, {"lockers_total", 3}, {"lockers_done", 1}});
    EXPECT_EQ(waiting.unit, "sessions");
    EXPECT_EQ(waiting.command, "CREATE INDEX");
}

TEST(WatchOperation, ReadsVacuumOfOldAndNewServers) {
    const Operation scanning = read_operation(
        "vacuum", {{"phase", "scanning heap"}, {"heap_blks_scanned", 1}, {"heap_blks_total", 4}});
    EXPECT_EQ(scanning.share(), 0.25);
    json row = {{"phase", "vacuuming indexes"}, {"heap_blks_total", 4}, {"index_vacuum_count", 1}};
    EXPECT_EQ(read_operation("vacuum", row).share(), std::nullopt);
    row["indexes_total"] = 2;
    row["indexes_processed"] = 1;
    EXPECT_EQ(read_operation("vacuum", row).share(), 0.5);
}

TEST(WatchOperation, KnowsWhatItMayNotSee) {
    for (const char* kind : {"copy", "create_index", "vacuum"}) {
        const Operation hidden = read_operation(kind, {{"pid", 9}, {"phase", nullptr}});
        EXPECT_EQ(hidden.phase, "");
        EXPECT_NE(plain_line(hidden).find("pg_read_all_stats"), std::string::npos);
        EXPECT_EQ(terminal_lines(hidden, 80).size(), 2u);
    }
}

TEST(WatchTracker, TellsRateAndTimeLeft) {
    Tracker tracker;
    std::vector<Operation> now = {linking(0, 1000)};
    EXPECT_TRUE(tracker.update(now, 10).empty());
    EXPECT_EQ(now[0].rate, std::nullopt);
    now = {linking(200, 1000)};
    tracker.update(now, 12);
    EXPECT_EQ(now[0].rate, 100);
    EXPECT_EQ(now[0].seconds_left, 8);
    now = {linking(600, 1000)};  // faster: the rate follows
    tracker.update(now, 14);
    EXPECT_GT(*now[0].rate, 100);
    EXPECT_LT(*now[0].rate, 200);
    now = {linking(10, 400)};  // the same phase began anew
    tracker.update(now, 16);
    EXPECT_EQ(now[0].rate, std::nullopt);
    now = {};
    const auto gone = tracker.update(now, 18);
    ASSERT_EQ(gone.size(), 1u);
    EXPECT_EQ(gone[0].relation, "items");
    EXPECT_TRUE(tracker.update(now, 20).empty());
}

TEST(WatchView, ShowsLines) {
    Operation operation = linking(12345, 60000);
    operation.rate = 4321;
    operation.seconds_left = 11;
    EXPECT_EQ(
        plain_line(operation),
        "7 CREATE INDEX on items: linking, 12,345 of 60,000 rows (20.6 %), 4,321 rows/s, 11 s "
        "left");
    const auto parsed = json::parse(json_line(operation));
    EXPECT_EQ(parsed["done"], 12345);
    EXPECT_EQ(parsed["total"], 60000);
    EXPECT_EQ(parsed["seconds_left"], 11);
    operation.phase = "a phase of a very long name, and 50 % of it is \"quoted\"";
    for (int n_columns : {40, 80, 200})
        for (const std::string& line : terminal_lines(operation, n_columns))
            EXPECT_LE(report::display_width(line), static_cast<std::size_t>(n_columns));
}

TEST(WatchView, NeverSaysAllBeforeItIs) {
    EXPECT_EQ(terminal_lines(linking(59999, 60000), 120)[1].find("100 %"), std::string::npos);
    EXPECT_NE(terminal_lines(linking(60000, 60000), 120)[1].find("100 %"), std::string::npos);
    EXPECT_EQ(plain_line(linking(59999, 60000)).find("100 %"), std::string::npos);
}

}  // namespace vext::client
