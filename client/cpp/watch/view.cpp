#include "watch/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/format.h"
#include "report/text_table.h"

namespace vext::client {

namespace {

constexpr const char* kHidden = "of another user, who grants pg_read_all_stats to show it";

std::string
amount(double value, const std::string& unit) {
    return unit == "bytes" ? report::bytes(value) : report::count(value);
}

/// "12,345 of 60,000 rows", "12,345 rows", or nothing.
std::string
counted(const Operation& operation) {
    if (operation.unit.empty())
        return "";
    const std::string unit = operation.unit == "bytes" ? "" : " " + operation.unit;
    if (operation.total > 0)
        return amount(operation.done, operation.unit) + " of " +
               amount(operation.total, operation.unit) + unit;
    return amount(operation.done, operation.unit) + unit;
}

std::string
rate_of(const Operation& operation) {
    if (!operation.rate || *operation.rate <= 0)
        return "";
    const std::string unit = operation.unit == "bytes" ? "/s" : " " + operation.unit + "/s";
    return amount(*operation.rate, operation.unit) + unit;
}

std::string
title_of(const Operation& operation) {
    return fmt::format("{} {} on {}", operation.pid, operation.command, operation.relation);
}

/// Parts that are not empty, with commas between.
std::string
joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts)
        if (!part.empty())
            text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::string
left_of(const Operation& operation) {
    return operation.seconds_left ? report::duration(*operation.seconds_left) + " left" : "";
}

/// A bar of eighths of a column.
std::string
bar(double share, int n_columns) {
    static const char* const kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const int eighths = static_cast<int>(share * n_columns * 8 + 0.5);
    std::string text;
    for (int i = 0; i < eighths / 8; i++)
        text += "█";
    text += kEighths[eighths % 8];
    int used = eighths / 8 + (eighths % 8 > 0 ? 1 : 0);
    for (; used < n_columns; used++)
        text += "·";
    return text;
}

/// As much of the text as has room; the bytes of a character stay together.
std::string
cut(const std::string& text, int n_columns) {
    if (static_cast<int>(report::display_width(text)) <= n_columns)
        return text;
    std::string part;
    int used = 0;
    for (std::size_t i = 0; i < text.size(); i++) {
        const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
        if (begins && ++used >= n_columns)
            break;
        part += text[i];
    }
    return part + "…";
}

}  // namespace

std::vector<std::string>
terminal_lines(const Operation& operation, int n_columns) {
    const std::string title =
        fmt::format("{}  {}", title_of(operation), report::duration(operation.seconds));
    if (operation.phase.empty())
        return {cut(title, n_columns), cut(std::string("  ") + kHidden, n_columns)};
    const std::string facts =
        joined({counted(operation), rate_of(operation), left_of(operation), operation.detail});
    std::string line = fmt::format("  {:<14} ", operation.phase);
    if (const auto share = operation.share()) {
        const int n_bar = std::clamp(n_columns - 75, 10, 30);
        // Not 100 % before it is all.
        line += fmt::format("{} {:>3.0f} %  ", bar(*share, n_bar), std::floor(*share * 100));
    }
    return {cut(title, n_columns), cut(line + facts, n_columns)};
}

std::string
plain_line(const Operation& operation) {
    if (operation.phase.empty())
        return title_of(operation) + ": " + kHidden;
    std::string count = counted(operation);
    if (const auto share = operation.share())
        count += " (" + report::percent(*share) + ")";
    return title_of(operation) + ": " +
           joined(
               {operation.phase, count, rate_of(operation), left_of(operation), operation.detail});
}

std::string
json_line(const Operation& operation) {
    nlohmann::json json = {{"pid", operation.pid},
                           {"command", operation.command},
                           {"relation", operation.relation},
                           {"phase", nullptr},
                           {"unit", nullptr},
                           {"done", nullptr},
                           {"total", nullptr},
                           {"rate", nullptr},
                           {"seconds_left", nullptr},
                           {"seconds", operation.seconds}};
    if (!operation.phase.empty())
        json["phase"] = operation.phase;
    if (!operation.unit.empty()) {
        json["unit"] = operation.unit;
        json["done"] = operation.done;
    }
    if (operation.total > 0)
        json["total"] = operation.total;
    if (operation.rate)
        json["rate"] = *operation.rate;
    if (operation.seconds_left)
        json["seconds_left"] = *operation.seconds_left;
    return json.dump();
}

}  // namespace vext::client
