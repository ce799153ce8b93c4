#include "report/text_table.h"

#include <algorithm>

namespace vext::report {

namespace {

std::string
padded(const std::string& text, std::size_t width, bool to_the_right) {
    std::size_t own = display_width(text);
    std::string blanks(width > own ? width - own : 0, ' ');
    return to_the_right ? blanks + text : text + blanks;
}

/// Without blanks at its end.
std::string
as_line(std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
}

}  // namespace

std::size_t
display_width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

std::string
to_text(const Table& table) {
    std::vector<std::size_t> widths;
    for (const std::string& head : table.head)
        widths.push_back(display_width(head));
    for (const auto& row : table.rows) {
        for (std::size_t i = 0; i < row.size() && i < widths.size(); i++)
            widths[i] = std::max(widths[i], display_width(row[i]));
    }
    auto line = [&](const std::vector<std::string>& cells, const char* mark) {
        std::string text = mark;
        for (std::size_t i = 0; i < cells.size() && i < widths.size(); i++)
            text += (i == 0 ? "" : "  ") +
                    padded(cells[i], widths[i], static_cast<int>(i) >= table.n_left);
        return as_line(text);
    };
    std::string text = line(table.head, "  ");
    for (std::size_t n = 0; n < table.rows.size(); n++)
        text += line(table.rows[n], table.chosen == static_cast<int>(n) ? "* " : "  ");
    return text;
}

std::string
to_text(const std::vector<Fact>& facts) {
    std::size_t width = 0;
    for (const Fact& fact : facts)
        width = std::max(width, display_width(fact.name));
    std::string text;
    for (const Fact& fact : facts)
        text += as_line(padded(fact.name, width, false) + "  " + fact.value);
    return text;
}

}  // namespace vext::report
