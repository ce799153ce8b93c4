// A report: one HTML page that needs nothing else, neither network nor script, to be read.
//
// Data goes in, a string comes out: nothing here knows a server, a clock or a file.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/chart.h"

namespace vext::report {

struct Table {
    std::vector<std::string> head;
    std::vector<std::vector<std::string>> rows;
    int n_left = 1;               ///< columns of text, left-aligned; the others hold numbers
    std::optional<int> chosen{};  ///< a row to stand out
};

struct Figure {
    Chart chart;
    std::string caption;  ///< how to read it
    Table data;           ///< the numbers of the chart, for those who cannot see it
    double height = 320;
};

struct Section {
    std::string id;  ///< unique on the page
    std::string title;
    std::string text{};               ///< one sentence that says what is to be seen
    std::vector<std::string> code{};  ///< statements to copy
    std::optional<Figure> figure{};
    std::optional<Table> table{};
    bool is_wide = false;  ///< takes the whole width
};

struct Page {
    std::string eyebrow;  ///< the kind of report
    std::string title;
    std::string lead;  ///< the answer
    std::vector<Fact> facts;
    std::vector<Section> sections;
    std::string footer;  ///< how it was measured, with which command
};

std::string render(const Page& page);

}  // namespace vext::report
