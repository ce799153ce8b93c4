// How numbers become places on an axis, and which round numbers an axis names.

#pragma once

#include <vector>

namespace vext::report {

enum class ScaleKind {
    kLinear,
    kLog,
    kNines,  ///< shares by the logarithm of what they miss: 0.9, 0.99, 0.999 lie equally far apart
};

class Scale {
   public:
    /// Requires: low < high, both above 0 for kLog and at most 1 for kNines. `least_miss` is the
    /// least that a share of kNines can miss: 1 is drawn there.
    Scale(ScaleKind kind, double low, double high, double least_miss = 1e-4);

    /// 0 at the low end, 1 at the high end; what lies beyond is drawn at the end.
    double place(double value) const;

    /// Round numbers of the axis in ascending order, at most so many, at least two where there are.
    std::vector<double> ticks(int at_most) const;

    double
    low() const {
        return low_;
    }
    double
    high() const {
        return high_;
    }

   private:
    double stretch(double value) const;
    std::vector<double> within(const std::vector<double>& values) const;

    ScaleKind kind_;
    double low_, high_, least_miss_;
};

/// From 0, or from a round number below `low`, to one above `high`.
Scale linear_scale(double low, double high, bool from_zero);

/// From a little below `low` to a little above `high`. Values of 0 or less count as 1e-9.
Scale log_scale(double low, double high);

/// From a round share below `low` to 1, or to a round one above `high`.
Scale nines_scale(double low, double high, double least_miss);

}  // namespace vext::report
