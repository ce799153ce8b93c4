// What a running COPY, CREATE INDEX or VACUUM tells of itself, and how fast it goes. Pure: rows of
// the server's progress views come in as JSON, so that columns which only some versions have are
// simply missing.

#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vext::client {

struct Operation {
    int pid = 0;
    std::string command;   ///< "COPY FROM", "CREATE INDEX CONCURRENTLY", "VACUUM"
    std::string relation;  ///< of this database by name, of another by number
    std::string phase;     ///< empty: this user may not see it
    std::string unit;      ///< of what is counted: "rows", "bytes", "pages", "indexes", "sessions"
    double done = 0;
    double total = 0;    ///< 0: unknown
    double seconds = 0;  ///< since the statement began
    std::string detail;  ///< more, such as rows of a COPY whose bytes are counted

    // Of what was seen before; see Tracker.
    std::optional<double> rate{};          ///< units a second
    std::optional<double> seconds_left{};  ///< of this phase

    /// Between 0 and 1, where the total is known.
    std::optional<double> share() const;
};

/// `kind` is "copy", "create_index" or "vacuum"; `row` is that of its pg_stat_progress view.
Operation read_operation(const std::string& kind, const nlohmann::json& row);

/// Remembers what was seen, and tells rates from it.
class Tracker {
   public:
    /// What runs at `now` seconds; fills in rates. Returns those that ran before and are gone.
    std::vector<Operation> update(std::vector<Operation>& operations, double now);

   private:
    struct Seen {
        Operation last;
        double at;
        std::optional<double> rate;
    };
    std::map<int, Seen> seen_;
};

}  // namespace vext::client
