// Charts as inline SVG. A chart is data; draw() turns it into SVG of a size. Each is drawn twice,
// for wide and for narrow windows, so that its text never shrinks; the style sheet shows one.
//
// Every point can be focused and carries its numbers as a label for screen readers, as a title for
// browsers without scripts, and as data for the script of the page (page.js).

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "report/scale.h"

namespace vext::report {

/// A number with its name, as a reader is told it.
struct Fact {
    std::string name;
    std::string value;
};

struct Axis {
    Scale scale;
    std::string title;
    std::function<std::string(double)> format;  ///< of a tick
};

struct Point {
    double x, y;
    std::string label;  ///< beside the point; may be empty
    std::string title;  ///< heads its numbers
    std::vector<Fact> facts;
    bool is_chosen = false;  ///< drawn with a ring
};

struct Series {
    std::string name;  ///< stands at the end of the line where there are several
    int colour;        ///< 1 to 6, of the style sheet; decides the shape of its marks too
    bool is_dashed;
    std::vector<Point> points;
};

/// A line across the chart at a value of the y axis.
struct Guide {
    double value;
    std::string text;
};

struct LineChart {
    Axis x, y;
    std::vector<Series> series;
    std::optional<Guide> guide;
};

/// A row of a chart of distributions, from the 5th to the 99th hundredth.
struct Span {
    std::string label;
    double p5, p25, p50, p75, p99;
    int colour;
    std::string title;
    std::vector<Fact> facts;
    bool is_chosen = false;
};

struct SpanChart {
    Axis x;
    std::string label_title;  ///< heads the labels of the rows
    std::vector<Span> rows;
};

struct Bar {
    std::string label;
    double value;
    std::string text;  ///< stands at the end
    int colour;
    bool is_hollow;  ///< something to compare with
    std::string title;
    std::vector<Fact> facts;
};

struct BarChart {
    Axis x;
    std::vector<Bar> bars;
};

using Chart = std::variant<LineChart, SpanChart, BarChart>;

struct Size {
    double width;
    double height;  ///< of a LineChart; the others take what their rows need
};

/// The svg element. `kind` becomes a class; `label` names the chart for screen readers.
std::string draw(const Chart& chart, Size size, const std::string& kind, const std::string& label);

/// Text as content of an element or of a quoted attribute.
std::string escape(const std::string& text);

}  // namespace vext::report
