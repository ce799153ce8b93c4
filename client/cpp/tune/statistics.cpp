#include "tune/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vext::client {

std::vector<bool>
ranks_found(const std::vector<double>& exact, std::vector<double> found) {
    std::sort(found.begin(), found.end());
    std::vector<bool> ranks(exact.size());
    std::size_t at = 0;
    for (std::size_t rank = 0; rank < exact.size(); rank++) {
        while (at < found.size() && found[at] < exact[rank])
            at++;
        if (at < found.size() && found[at] == exact[rank]) {
            ranks[rank] = true;
            at++;
        }
    }
    return ranks;
}

void
RecallCount::add(const std::vector<bool>& ranks) {
    std::size_t n_found = 0;
    for (std::size_t rank = 0; rank < ranks.size() && rank < wanted_.size(); rank++) {
        wanted_[rank]++;
        if (ranks[rank]) {
            found_[rank]++;
            n_found++;
        }
    }
    if (ranks.empty())
        return;
    const double recall = static_cast<double>(n_found) / static_cast<double>(ranks.size());
    n_++;
    sum_ += recall;
    sum_of_squares_ += recall * recall;
}

double
RecallCount::recall() const {
    const auto found = std::accumulate(found_.begin(), found_.end(), std::size_t{0});
    const auto wanted = std::accumulate(wanted_.begin(), wanted_.end(), std::size_t{0});
    return wanted == 0 ? 1 : static_cast<double>(found) / static_cast<double>(wanted);
}

double
RecallCount::error() const {
    if (n_ < 2)
        return 1;
    const auto n = static_cast<double>(n_);
    const double variance = std::max((sum_of_squares_ - sum_ * sum_ / n) / (n - 1), 0.0);
    return 1.96 * std::sqrt(variance / n);
}

std::vector<double>
RecallCount::by_rank() const {
    std::vector<double> shares;
    for (std::size_t rank = 0; rank < wanted_.size() && wanted_[rank] > 0; rank++)
        shares.push_back(static_cast<double>(found_[rank]) / static_cast<double>(wanted_[rank]));
    return shares;
}

Times
summarize(std::vector<double> seconds) {
    Times times;
    times.n = seconds.size();
    if (seconds.empty())
        return times;
    std::sort(seconds.begin(), seconds.end());
    // The least value that at least this share of all do not exceed.
    const auto at = [&](double share) {
        const double place = std::ceil(share * static_cast<double>(seconds.size()) - 1e-9);
        return seconds[static_cast<std::size_t>(std::max(place, 1.0)) - 1];
    };
    times.mean =
        std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(seconds.size());
    times.p5 = at(0.05);
    times.p25 = at(0.25);
    times.p50 = at(0.5);
    times.p75 = at(0.75);
    times.p95 = at(0.95);
    times.p99 = at(0.99);
    return times;
}

std::vector<int>
ladder(int k, int most) {
    std::vector<int> values;
    for (int ef = std::max(k, 10); ef < most; ef *= 2)
        values.push_back(ef);
    if (values.empty() || values.back() < most)
        values.push_back(std::max(most, k));
    return values;
}

std::optional<int>
next_try(const Bracket& bracket) {
    const int width = bracket.enough - bracket.too_low;
    if (width <= std::max(1, bracket.enough / 20))
        return std::nullopt;
    return bracket.too_low + width / 2;
}

std::vector<RankGroup>
group_ranks(const std::vector<double>& by_rank, int n_groups) {
    std::vector<RankGroup> groups;
    const int n = static_cast<int>(by_rank.size());
    const int size = std::max((n + n_groups - 1) / std::max(n_groups, 1), 1);
    for (int first = 0; first < n; first += size) {
        const int last = std::min(first + size, n);
        const double sum = std::accumulate(by_rank.begin() + first, by_rank.begin() + last, 0.0);
        groups.push_back({first + 1, last, sum / (last - first)});
    }
    return groups;
}

}  // namespace vext::client
