#include "report/scale.h"

#include <algorithm>
#include <cmath>

namespace vext::report {

namespace {

/// Shares that people name, thinner from list to list.
const std::vector<std::vector<double>> kShares = {
    {0, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 1},
    {0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1},
    {0, 0.5, 0.9, 0.95, 0.99, 0.995, 0.999, 1},
    {0, 0.5, 0.9, 0.99, 0.999, 1},
    {0, 0.9, 0.99, 1},
};

/// Digits of an axis by logarithm, from many to few; the first where a decade has room for all.
const std::vector<std::vector<double>> kDigits = {{1, 2, 3, 5, 7}, {1, 2, 5}, {1, 3}, {1}};

/// 1, 2 or 5 times a power of ten, the least that cuts `range` into at most `n_parts`.
double
round_step(double range, int n_parts) {
    double least = range / std::max(n_parts, 1);
    double power = std::pow(10, std::floor(std::log10(least)));
    for (double digit : {1.0, 2.0, 5.0, 10.0}) {
        if (digit * power >= least * (1 - 1e-9))
            return digit * power;
    }
    return 10 * power;
}

/// Multiples of `step` from `low` to `high`, each rounded to itself.
std::vector<double>
multiples(double low, double high, double step) {
    std::vector<double> values;
    double slack = step * 1e-6;
    for (double i = std::ceil((low - slack) / step); i * step <= high + slack; i++)
        values.push_back(i * step + 0.0);
    return values;
}

std::vector<double>
linear_ticks(double low, double high, int at_most) {
    // A step may fall so that one tick more fits than the range has parts.
    for (int n_parts = at_most; n_parts >= 1; n_parts--) {
        auto values = multiples(low, high, round_step(high - low, n_parts));
        if (static_cast<int>(values.size()) <= at_most)
            return values;
    }
    return {};
}

/// Powers of ten times these digits.
std::vector<double>
decades(double low, double high, const std::vector<double>& digits, int every) {
    std::vector<double> values;
    for (int power = static_cast<int>(std::floor(std::log10(low)));
         power <= static_cast<int>(std::ceil(std::log10(high))); power++) {
        if (power % every != 0)
            continue;
        for (double digit : digits)
            values.push_back(digit * std::pow(10, power));
    }
    return values;
}

}  // namespace

Scale::Scale(ScaleKind kind, double low, double high, double least_miss)
    : kind_(kind), low_(low), high_(high), least_miss_(least_miss) {
}

double
Scale::stretch(double value) const {
    switch (kind_) {
        case ScaleKind::kLog:
            return std::log10(std::max(value, low_));
        case ScaleKind::kNines:
            return -std::log10(std::max(1 - value, least_miss_));
        case ScaleKind::kLinear:
            break;
    }
    return value;
}

double
Scale::place(double value) const {
    double from = stretch(low_), to = stretch(high_);
    if (!(to > from) || std::isnan(value))
        return 0;
    return std::clamp((stretch(value) - from) / (to - from), 0.0, 1.0);
}

std::vector<double>
Scale::within(const std::vector<double>& values) const {
    std::vector<double> found;
    double slack = (high_ - low_) * 1e-9;
    for (double value : values) {
        // A share that the axis cannot tell from 1 would stand where 1 stands.
        bool is_one = kind_ == ScaleKind::kNines && value < 1 && 1 - value <= least_miss_ * 1.2;
        if (value >= low_ - slack && value <= high_ + slack && !is_one)
            found.push_back(value);
    }
    return found;
}

std::vector<double>
Scale::ticks(int at_most) const {
    if (kind_ == ScaleKind::kNines) {
        for (const auto& shares : kShares) {
            auto found = within(shares);
            if (found.size() >= 2 && static_cast<int>(found.size()) <= at_most)
                return found;
        }
    } else if (kind_ == ScaleKind::kLog && high_ / low_ > 3) {
        for (const auto& digits : kDigits) {
            if (digits.size() > 3 && high_ / low_ > 10)
                continue;
            auto found = within(decades(low_, high_, digits, 1));
            if (found.size() >= 2 && static_cast<int>(found.size()) <= at_most)
                return found;
        }
        for (int every = 2; every < 8; every++) {
            auto found = within(decades(low_, high_, {1}, every));
            if (static_cast<int>(found.size()) <= at_most && found.size() >= 2)
                return found;
        }
    }
    return linear_ticks(low_, high_, at_most);
}

Scale
linear_scale(double low, double high, bool from_zero) {
    if (from_zero)
        low = std::min(low, 0.0);
    if (!(high > low))
        high = low + (low == 0 ? 1 : std::abs(low));
    double step = round_step(high - low, 5);
    return Scale(ScaleKind::kLinear, std::floor(low / step + 1e-9) * step,
                 std::ceil(high / step - 1e-9) * step);
}

Scale
log_scale(double low, double high) {
    low = std::max(low, 1e-9);
    high = std::max(high, low * 1.2);
    double room = std::pow(high / low, 0.06);
    return Scale(ScaleKind::kLog, low / room, high * room);
}

Scale
nines_scale(double low, double high, double least_miss) {
    least_miss = std::clamp(least_miss, 1e-6, 0.1);
    const auto& shares = kShares[0];
    double from = 0, to = 1;
    // What is drawn lowest has room for its label below.
    double miss = std::max(1 - low, least_miss * 2);
    for (double share : shares) {
        if (share < 1 && std::log10((1 - share) / miss) > 0.15)
            from = share;
    }
    for (auto share = shares.rbegin(); share != shares.rend(); ++share) {
        if (*share > high + 1e-9 && 1 - *share > least_miss * 1.2)
            to = *share;
    }
    return Scale(ScaleKind::kNines, from, to, least_miss);
}

}  // namespace vext::report
