// Searches of one index beside exact ones: what they find, how long they take, how many pages they
// touch. All by plain SQL that any index of pgvector's interface understands.
//
// Everything runs in one REPEATABLE READ transaction of the caller's, so that exact searches and
// those by the index see the same rows.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "progress/progress.h"
#include "server/connection.h"
#include "tune/statistics.h"

namespace vext::client {

/// Queries in the wire form of their type. A sampled row is left out of its own answer.
struct QuerySet {
    std::vector<std::vector<std::uint8_t>> wire;
    std::vector<std::string> own;  ///< ctid of each, where they are rows of the table; else empty
    std::string source;            ///< "200 rows of public.q", for people

    bool
    is_sampled() const {
        return !own.empty();
    }
};

/// What is searched. Every name is qualified and quoted.
struct SearchTarget {
    std::string table, expression, predicate, distance, type;
    std::uint32_t type_oid;
    std::string index;  ///< its name alone, as a plan tells it
    bool is_ours;       ///< of vector_ext, whose settings may be used
    bool is_guarded;    ///< the expression may fail for rows that the predicate leaves out
};

/// A value of ef_search and what it gives.
struct Setting {
    int ef_search;
    double recall = 0, error = 0;  ///< and half the width of its 95 % interval
    std::vector<double> by_rank;
    std::vector<double> seconds;  ///< of every search that was timed
    double pages = 0;             ///< pages of index and table that a search looks at

    Times
    times() const {
        return summarize(seconds);
    }
};

class Searches {
   public:
    Searches(Connection& connection, SearchTarget target, const QuerySet& queries, int k,
             Progress& progress);

    /// The true neighbours. Comes first.
    void find_exact();
    /// From here on searches are by the index of this OID, whose name the target has. Throws where
    /// the planner does not take it.
    void use_index(std::uint32_t oid);
    Setting measure_recall(int ef_search);
    /// Times every query once.
    void time_once(Setting& setting);
    void count_pages(Setting& setting, std::size_t n_queries);
    /// Seconds of a statement that only takes a query and gives it up: the way to the server.
    double round_trip();

    Times
    exact_times() const {
        return summarize(exact_seconds_);
    }

   private:
    std::string statement(const std::string& columns) const;
    void set_ef(int ef_search);
    std::vector<double> distances(const Result& rows, std::size_t query) const;

    Connection& connection_;
    SearchTarget target_;
    const QuerySet& queries_;
    int k_;
    Progress& progress_;
    std::vector<std::vector<double>> exact_;
    std::vector<double> exact_seconds_;
};

/// Recall over a ladder of ef_search, finer where `wanted` is reached; then times, round by round
/// over all of them, so that a disturbance hits all alike.
struct Sweep {
    std::vector<int> given;  ///< values of ef_search in place of the ladder
    int k;
    double wanted;
    int ef_now = 0;  ///< a value to measure in any case, if it can return k rows
};
std::vector<Setting> measure_settings(Searches& searches, const Sweep& sweep, std::size_t n_queries,
                                      Progress& progress);

/// The least ef_search that reaches the recall, as a place in the list; below zero: none does.
int choose(const std::vector<Setting>& settings, double wanted);

}  // namespace vext::client
