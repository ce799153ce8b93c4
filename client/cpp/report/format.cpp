#include "report/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vext::report {

namespace {

/// Three digits that count, and none after the point that are all zero.
std::string
three_digits(double value) {
    double size = std::abs(value);
    int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    std::string text = fmt::format("{:.{}f}", value, decimals);
    if (text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.')
            text.pop_back();
    }
    return text;
}

}  // namespace

std::string
duration(double seconds) {
    if (seconds < 0)
        return "-" + duration(-seconds);
    if (seconds == 0)
        return "0 s";
    if (seconds < 0.9995e-6)
        return three_digits(seconds * 1e9) + " ns";
    if (seconds < 0.9995e-3)
        return three_digits(seconds * 1e6) + " µs";
    if (seconds < 0.9995)
        return three_digits(seconds * 1e3) + " ms";
    if (seconds < 59.95)
        return three_digits(seconds) + " s";
    auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 3600)
        return whole % 60 ? fmt::format("{} min {} s", whole / 60, whole % 60)
                          : fmt::format("{} min", whole / 60);
    std::int64_t minutes = (whole + 30) / 60;
    return minutes % 60 ? fmt::format("{} h {} min", minutes / 60, minutes % 60)
                        : fmt::format("{} h", minutes / 60);
}

std::string
bytes(double n) {
    const char* units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int unit = 0;
    while (n >= 999.5 && unit < 5) {
        n /= 1024;
        unit++;
    }
    return three_digits(n) + " " + units[unit];
}

std::string
count(double n) {
    std::string digits = fmt::format("{:.0f}", std::abs(n));
    for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return (n < -0.5 ? "-" : "") + digits;
}

std::string
percent(double share, int decimals) {
    // Never "100 %" of what is less, nor "0 %" of what is more.
    double power = std::pow(10, decimals + 2);
    double rounded = std::round(share * power) / power;
    if (share < 1 && rounded >= 1)
        rounded = 1 - 1 / power;
    if (share > 0 && rounded <= 0)
        rounded = 1 / power;
    return plain(std::round(rounded * power) * 100 / power) + " %";
}

std::string
plain(double value) {
    return fmt::format("{:.6g}", value);
}

}  // namespace vext::report
