// What is counted of searches: which true neighbours were found, how times are spread, which
// setting suffices. Pure; nothing here knows a server.

#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace vext::client {

/// For each rank of the true neighbours whether it was found. Both lists hold distances, `exact` in
/// ascending order. Rows are told apart by distance alone, so that of several equally far ones any
/// will do; they count for the nearest rank first.
std::vector<bool> ranks_found(const std::vector<double>& exact, std::vector<double> found);

/// Recall over many searches.
class RecallCount {
   public:
    explicit RecallCount(std::size_t k) : found_(k), wanted_(k) {}

    /// One search, as ranks_found tells. A table of fewer than k rows has fewer ranks.
    void add(const std::vector<bool>& ranks);

    /// Of all neighbours there are, the share found; 1 when there are none.
    double recall() const;
    /// Half the width of the interval that holds the recall of all possible queries with 95 %
    /// probability, from how much that of single searches varies.
    double error() const;
    /// The share found at each rank.
    std::vector<double> by_rank() const;

   private:
    std::vector<std::size_t> found_, wanted_;
    std::size_t n_ = 0;
    double sum_ = 0, sum_of_squares_ = 0;  ///< of the recall of single searches
};

/// How times of searches are spread, in seconds.
struct Times {
    double mean = 0, p5 = 0, p25 = 0, p50 = 0, p75 = 0, p95 = 0, p99 = 0;
    std::size_t n = 0;
};

Times summarize(std::vector<double> seconds);

/// The values of ef_search to try: from the least that can return k rows, doubled up to `most`.
std::vector<int> ladder(int k, int most);

/// A range of ef_search that holds the least one that reaches a wanted recall.
struct Bracket {
    int too_low;  ///< does not reach it
    int enough;   ///< reaches it
};

/// The value to try next, until the range is narrow enough to tell: 5 % of its end.
std::optional<int> next_try(const Bracket& bracket);

/// Neighbouring ranks together, at most `n_groups` of them.
struct RankGroup {
    int first, last;
    double share;
};
std::vector<RankGroup> group_ranks(const std::vector<double>& by_rank, int n_groups);

}  // namespace vext::client
