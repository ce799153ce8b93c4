// `watch`: a live view of every COPY, CREATE INDEX and VACUUM that runs on the server.

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "commands/registry.h"
#include "error.h"
#include "options/groups.h"
#include "report/format.h"
#include "server/connection.h"
#include "server/interrupt.h"
#include "streams.h"
#include "watch/operation.h"
#include "watch/view.h"

namespace vext::client {

namespace {

struct WatchOptions {
    ConnectionOptions connection;
    double interval = 1;
    bool until_idle = false;
    std::string output = "auto";
};

/// Everything that reports progress, in all databases.
constexpr const char* kRunning =
    "SELECT p.kind, p.pid, "
    "CASE WHEN p.relid IS NULL THEN '?' WHEN p.relid = 0 THEN 'a query' "
    "WHEN p.datname = pg_catalog.current_database() THEN p.relid::regclass::text "
    "ELSE pg_catalog.format('%s.%s', p.datname, p.relid) END, "
    "coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start), 0), p.progress "
    "FROM (SELECT 'copy' AS kind, pid, datname, relid, pg_catalog.to_jsonb(c) AS progress "
    "FROM pg_catalog.pg_stat_progress_copy c "
    "UNION ALL SELECT 'create_index', pid, datname, relid, pg_catalog.to_jsonb(c) "
    "FROM pg_catalog.pg_stat_progress_create_index c "
    "UNION ALL SELECT 'vacuum', pid, datname, relid, pg_catalog.to_jsonb(c) "
    "FROM pg_catalog.pg_stat_progress_vacuum c) p "
    "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid "
    "WHERE p.pid <> pg_catalog.pg_backend_pid() ORDER BY a.query_start, p.pid";

std::vector<Operation>
look(Connection& connection) {
    const Result rows = connection.query(kRunning);
    std::vector<Operation> operations;
    for (int row = 0; row < rows.n_rows(); row++) {
        Operation operation =
            read_operation(rows.string(row, 0), nlohmann::json::parse(rows.text(row, 4)));
        operation.relation = rows.string(row, 2);
        operation.seconds = rows.number(row, 3);
        operations.push_back(std::move(operation));
    }
    return operations;
}

class View {
   public:
    virtual ~View() = default;
    virtual void show(const std::vector<Operation>& operations) = 0;
    virtual void show_gone(const Operation& operation) = 0;
};

/// Overwrites what it showed before.
class TerminalView : public View {
   public:
    TerminalView() { print("\x1b[?25l"); }
    ~TerminalView() override {
        print("\x1b[?25h");
        std::fflush(stdout);
    }

    void
    show(const std::vector<Operation>& operations) override {
        winsize size{};
        int n_columns = 80, n_lines = 24;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
            n_columns = size.ws_col;
            n_lines = size.ws_row;
        }
        clear();
        if (operations.empty()) {
            print("nothing runs\n");
            n_shown_ = 1;
        }
        for (const Operation& operation : operations) {
            const auto lines = terminal_lines(operation, std::max(n_columns, 40));
            // What does not fit the window could not be overwritten.
            if (n_shown_ + static_cast<int>(lines.size()) >= n_lines)
                break;
            for (const std::string& line : lines)
                print("{}\n", line);
            n_shown_ += static_cast<int>(lines.size());
        }
        flush_output();
    }

    void
    show_gone(const Operation& operation) override {
        clear();
        print("{} {} on {} ended after {}\n", operation.pid, operation.command, operation.relation,
              report::duration(operation.seconds));
    }

   private:
    void
    clear() {
        if (n_shown_ > 0)
            print("\x1b[{}A\x1b[J", n_shown_);
        n_shown_ = 0;
    }

    int n_shown_ = 0;
};

/// A line for everything that changed.
class LinesView : public View {
   public:
    explicit LinesView(bool is_json) : is_json_(is_json) {}

    void
    show(const std::vector<Operation>& operations) override {
        std::map<int, std::string> shown;
        for (const Operation& operation : operations) {
            const std::string line = is_json_ ? json_line(operation) : plain_line(operation);
            if (const auto before = shown_.find(operation.pid);
                before == shown_.end() || before->second != line)
                print("{}\n", line);
            shown[operation.pid] = line;
        }
        if (operations.empty() && !is_idle_ && !is_json_)
            print("nothing runs\n");
        is_idle_ = operations.empty();
        shown_ = std::move(shown);
        flush_output();
    }

    void
    show_gone(const Operation& operation) override {
        if (is_json_)
            print("{}\n", nlohmann::json{{"pid", operation.pid},
                                         {"command", operation.command},
                                         {"relation", operation.relation},
                                         {"ended", true},
                                         {"seconds", operation.seconds}}
                              .dump());
        else
            print("{} {} on {}: ended after {}\n", operation.pid, operation.command,
                  operation.relation, report::duration(operation.seconds));
    }

   private:
    bool is_json_, is_idle_ = false;
    std::map<int, std::string> shown_;
};

std::unique_ptr<View>
make_view(const std::string& output) {
    if (output == "json")
        return std::make_unique<LinesView>(true);
    if (output == "live" || (output == "auto" && isatty(STDOUT_FILENO) != 0))
        return std::make_unique<TerminalView>();
    return std::make_unique<LinesView>(false);
}

/// In pieces, so that Ctrl-C is heard.
void
wait_for(double seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (std::chrono::steady_clock::now() < end) {
        check_interrupt();
        std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds, 0.05)));
    }
}

int
run(const WatchOptions& options) {
    if (!(options.interval >= 0.01 && options.interval <= 86400))
        throw UsageError(
            fmt::format("--interval: expected 0.01 to 86400 seconds, not {}", options.interval));
    Connection connection(options.connection.dsn);
    const auto view = make_view(options.output);
    Tracker tracker;
    const auto start = std::chrono::steady_clock::now();
    try {
        while (true) {
            auto operations = look(connection);
            const double now =
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            for (const Operation& gone : tracker.update(operations, now))
                view->show_gone(gone);
            view->show(operations);
            if (options.until_idle && operations.empty())
                return static_cast<int>(ExitCode::kDone);
            wait_for(options.interval);
        }
    } catch (const Interrupted&) {
        // The usual way to end, which needs no message.
        return static_cast<int>(ExitCode::kInterrupted);
    }
}

}  // namespace

Command
make_watch_command() {
    auto options = std::make_shared<WatchOptions>();
    Command command;
    command.name = "watch";
    command.summary = "Show what COPY, CREATE INDEX and VACUUM are doing, in any session";
    command.description =
        "A live view on a terminal, else lines. Rates and the time left of a phase come from what "
        "was "
        "seen between two looks. Those of other users show to members of pg_read_all_stats. Ctrl-C "
        "ends it.";
    command.options.push_back(
        {"--interval", "SECONDS", "Time between two looks (1)", &options->interval});
    command.options.push_back({"--until-idle", "", "End when nothing runs", &options->until_idle});
    command.options.push_back({"--output",
                               "KIND",
                               "How it is shown (auto: live on a terminal)",
                               &options->output,
                               {"auto", "live", "plain", "json"}});
    options->connection.append_to(command.options);
    command.examples.push_back({"vector-bulk watch", "Watch until Ctrl-C"});
    command.examples.push_back({"vector-bulk watch --until-idle --output plain >>build.log",
                                "Log a build until it is done"});
    command.run = [options] { return run(*options); };
    return command;
}

}  // namespace vext::client
