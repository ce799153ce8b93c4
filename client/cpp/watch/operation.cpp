#include "watch/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/format.h"

namespace vext::client {

namespace {

/// Of the rate, how much is told by the last look; the rest by those before.
constexpr double kNewest = 0.4;

double
number(const nlohmann::json& row, const char* name) {
    const auto found = row.find(name);
    return found == row.end() || !found->is_number() ? 0 : found->get<double>();
}

std::string
text(const nlohmann::json& row, const char* name) {
    const auto found = row.find(name);
    return found == row.end() || !found->is_string() ? "" : found->get<std::string>();
}

void
read_copy(const nlohmann::json& row, Operation& operation) {
    operation.command = text(row, "command");
    if (operation.command.empty()) {
        operation.command = "COPY";
        return;
    }
    operation.phase = operation.command == "COPY FROM" ? "loading" : "writing";
    const double n_rows = number(row, "tuples_processed");
    if (number(row, "bytes_total") > 0) {
        operation.unit = "bytes";
        operation.done = number(row, "bytes_processed");
        operation.total = number(row, "bytes_total");
        operation.detail = report::count(n_rows) + " rows";
    } else {
        operation.unit = "rows";
        operation.done = n_rows;
        operation.detail = report::bytes(number(row, "bytes_processed"));
    }
    if (number(row, "tuples_excluded") > 0)
        operation.detail +=
            fmt::format(", {} left out", report::count(number(row, "tuples_excluded")));
    if (number(row, "tuples_skipped") > 0)
        operation.detail +=
            fmt::format(", {} skipped", report::count(number(row, "tuples_skipped")));
}

void
read_create_index(const nlohmann::json& row, Operation& operation) {
    operation.command = text(row, "command");
    if (operation.command.empty())
        operation.command = "CREATE INDEX";
    operation.phase = text(row, "phase");
    // "building index: linking": the access method's own phase tells more.
    const std::string prefix = "building index: ";
    if (operation.phase.rfind(prefix, 0) == 0)
        operation.phase = operation.phase.substr(prefix.size());
    struct Count {
        const char* unit;
        const char* done;
        const char* total;
    };
    for (const Count& count : {Count{"rows", "tuples_done", "tuples_total"},
                               Count{"pages", "blocks_done", "blocks_total"},
                               Count{"sessions", "lockers_done", "lockers_total"}})
        if (number(row, count.total) > 0) {
            operation.unit = count.unit;
            operation.done = number(row, count.done);
            operation.total = number(row, count.total);
            break;
        }
    if (operation.unit.empty() && number(row, "tuples_done") > 0) {
        operation.unit = "rows";
        operation.done = number(row, "tuples_done");
    }
    if (number(row, "partitions_total") > 0)
        operation.detail =
            fmt::format("partition {:.0f} of {:.0f}", number(row, "partitions_done") + 1,
                        number(row, "partitions_total"));
}

void
read_vacuum(const nlohmann::json& row, Operation& operation) {
    operation.command = "VACUUM";
    operation.phase = text(row, "phase");
    if (operation.phase == "scanning heap" || operation.phase == "vacuuming heap") {
        operation.unit = "pages";
        operation.done = number(
            row, operation.phase == "scanning heap" ? "heap_blks_scanned" : "heap_blks_vacuumed");
        operation.total = number(row, "heap_blks_total");
    } else if (number(row, "indexes_total") > 0) {
        operation.unit = "indexes";
        operation.done = number(row, "indexes_processed");
        operation.total = number(row, "indexes_total");
    }
    if (number(row, "index_vacuum_count") > 0)
        operation.detail =
            fmt::format("{:.0f} passes over the indexes done", number(row, "index_vacuum_count"));
}

}  // namespace

std::optional<double>
Operation::share() const {
    if (total <= 0)
        return std::nullopt;
    return std::clamp(done / total, 0.0, 1.0);
}

Operation
read_operation(const std::string& kind, const nlohmann::json& row) {
    Operation operation;
    operation.pid = static_cast<int>(number(row, "pid"));
    if (kind == "copy")
        read_copy(row, operation);
    else if (kind == "create_index")
        read_create_index(row, operation);
    else
        read_vacuum(row, operation);
    return operation;
}

std::vector<Operation>
Tracker::update(std::vector<Operation>& operations, double now) {
    std::map<int, Seen> seen;
    for (Operation& operation : operations) {
        const auto before = seen_.find(operation.pid);
        std::optional<double> rate;
        if (before != seen_.end() && before->second.last.phase == operation.phase &&
            before->second.last.unit == operation.unit &&
            before->second.last.command == operation.command &&
            operation.done >= before->second.last.done && now > before->second.at) {
            const double latest =
                (operation.done - before->second.last.done) / (now - before->second.at);
            rate = before->second.rate ? kNewest * latest + (1 - kNewest) * *before->second.rate
                                       : latest;
        }
        operation.rate = rate;
        if (rate && *rate > 0 && operation.total > operation.done)
            operation.seconds_left = (operation.total - operation.done) / *rate;
        seen[operation.pid] = {operation, now, rate};
    }
    std::vector<Operation> gone;
    for (const auto& [pid, before] : seen_)
        if (const auto still = seen.find(pid); still == seen.end() ||
                                               still->second.last.command != before.last.command ||
                                               still->second.last.relation != before.last.relation)
            gone.push_back(before.last);
    seen_ = std::move(seen);
    return gone;
}

}  // namespace vext::client
