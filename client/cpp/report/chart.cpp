#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vext::report {

namespace {

constexpr double kTick = 13;   // heights of text: of ticks and labels
constexpr double kSmall = 12;  // of names beside points

/// About how wide a text is drawn: for margins, and to keep labels apart.
double
width_of(const std::string& text, double size) {
    double width = 0;
    for (unsigned char c : text) {
        if ((c & 0xC0) != 0x80)
            width += c == ' ' || c == '.' || c == ',' || c == 'i' || c == 'l' ? 0.3 : 0.58;
    }
    return width * size;
}

enum class Anchor { kStart, kMiddle, kEnd };

std::string
text_at(double x, double y, const std::string& text, Anchor anchor, const char* style = "") {
    const char* names[] = {"start", "middle", "end"};
    return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>)", x, y,
                       names[static_cast<int>(anchor)],
                       *style ? fmt::format(R"( class="{}")", style) : "", escape(text));
}

std::string
line_from(double x1, double y1, double x2, double y2, const char* style) {
    return fmt::format(R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)",
                       style, x1, y1, x2, y2);
}

/// Opens a group that can be focused and tells its numbers; its caller closes it. `x` and `y` say
/// where the numbers are to be shown.
std::string
open_point(const std::string& style, double x, double y, const std::string& title,
           const std::vector<Fact>& facts) {
    std::string spoken = title, lines, data;
    for (const Fact& fact : facts) {
        spoken += fmt::format("; {} {}", fact.name, fact.value);
        lines += fmt::format("\n{}: {}", fact.name, fact.value);
        data += fmt::format("{}{}\t{}", data.empty() ? "" : "\n", fact.name, fact.value);
    }
    return fmt::format(
        R"(<g class="point {}" tabindex="0" role="img" aria-label="{}" data-x="{:.1f}" data-y="{:.1f}" data-title="{}" data-facts="{}"><title>{}</title>)",
        style, escape(spoken), x, y, escape(title), escape(data), escape(title + lines));
}

/// Shapes differ as the colours do, for those who cannot tell these apart.
std::string
mark(int colour, double x, double y, double r) {
    switch ((colour - 1) % 4) {
        case 1:
            return fmt::format(
                R"(<rect class="mark" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
                x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
        case 2:
            return fmt::format(R"(<path class="mark" d="M{:.1f} {:.1f}l{:.1f} {:.1f}h{:.1f}z"/>)",
                               x, y - r * 1.2, r * 1.15, r * 2, -r * 2.3);
        case 3:
            return fmt::format(
                R"(<path class="mark" d="M{0:.1f} {1:.1f}l{2:.1f} {2:.1f}l-{2:.1f} {2:.1f}l-{2:.1f} -{2:.1f}z"/>)",
                x, y - r * 1.25, r * 1.25);
        default:
            return fmt::format(R"(<circle class="mark" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>)", x, y,
                               r);
    }
}

/// Where a chart draws: pixels from the left and top.
struct Plot {
    double left, right, top, bottom;

    double
    x_of(const Axis& axis, double value) const {
        return left + axis.scale.place(value) * (right - left);
    }
    double
    y_of(const Axis& axis, double value) const {
        return bottom - axis.scale.place(value) * (bottom - top);
    }
};

int
n_ticks_across(const Plot& plot) {
    return std::clamp(static_cast<int>((plot.right - plot.left) / 62), 3, 10);
}

/// The x axis below the plot. `has_grid` draws lines through it too.
std::string
draw_x_axis(const Axis& axis, const Plot& plot, bool has_grid) {
    std::string svg;
    // Labels may be wider than their share of the axis: then fewer.
    for (int n = n_ticks_across(plot); n >= 2; n--) {
        svg.clear();
        double last_end = -1e9;
        bool fits = true;
        for (double tick : axis.scale.ticks(n)) {
            double x = plot.x_of(axis, tick);
            std::string label = axis.format(tick);
            double half = width_of(label, kTick) / 2;
            fits = fits && x - half >= last_end + 8;
            last_end = x + half;
            svg += line_from(x, has_grid ? plot.top : plot.bottom, x, plot.bottom + 5,
                             has_grid ? "grid" : "tick");
            svg += text_at(x, plot.bottom + 20, label, Anchor::kMiddle, "tick-label");
        }
        if (fits)
            break;
    }
    svg += line_from(plot.left, plot.bottom, plot.right, plot.bottom, "axis");
    svg += text_at(plot.right, plot.bottom + 39, axis.title, Anchor::kEnd, "axis-title");
    return svg;
}

std::string
open_svg(double width, double height, const std::string& kind, const std::string& label) {
    return fmt::format(
        R"(<svg class="chart {}" viewBox="0 0 {:.0f} {:.0f}" role="group" aria-label="{}" xmlns="http://www.w3.org/2000/svg">)",
        kind, width, height, escape(label));
}

/// Moves values of ascending order apart to at least `gap`, as little as that takes, within limits.
void
spread(std::vector<double>& places, double gap, double low, double high) {
    for (std::size_t i = 1; i < places.size(); i++)
        places[i] = std::max(places[i], places[i - 1] + gap);
    double limit = high;
    for (std::size_t i = places.size(); i-- > 0;) {
        places[i] = std::max(std::min(places[i], limit), low);
        limit = places[i] - gap;
    }
}

class LineDrawing {
   public:
    LineDrawing(const LineChart& chart, Size size) : chart_(chart), size_(size) {
        double left = 0, right = 0;
        y_ticks_ = chart.y.scale.ticks(static_cast<int>((size.height - 80) / 34));
        for (double tick : y_ticks_)
            left = std::max(left, width_of(chart.y.format(tick), kTick));
        if (has_names()) {
            for (const Series& series : chart.series)
                right = std::max(right, width_of(series.name, kSmall));
            right += 22;
        } else {
            right = 22;
        }
        plot_ = {left + 12, size.width - right, 34, size.height - 46};
    }

    std::string
    draw(const std::string& kind, const std::string& label) {
        std::string svg = open_svg(size_.width, size_.height, kind, label);
        svg += text_at(0, 14, chart_.y.title, Anchor::kStart, "axis-title");
        for (double tick : y_ticks_) {
            double y = plot_.y_of(chart_.y, tick);
            svg += line_from(plot_.left, y, plot_.right, y, "grid");
            svg += text_at(plot_.left - 10, y + 4.5, chart_.y.format(tick), Anchor::kEnd,
                           "tick-label");
        }
        svg += draw_x_axis(chart_.x, plot_, false);
        if (chart_.guide)
            svg += draw_guide(*chart_.guide);
        for (const Series& series : chart_.series)
            svg += draw_line(series);
        if (has_names())
            svg += draw_names();
        for (const Series& series : chart_.series)
            svg += draw_points(series);
        return svg + "</svg>";
    }

   private:
    bool
    has_names() const {
        return chart_.series.size() > 1;
    }

    std::string
    draw_guide(const Guide& guide) const {
        double y = plot_.y_of(chart_.y, guide.value);
        // Below the line where the text would leave the plot.
        double text_y = y - 7 < plot_.top + 8 ? y + 16 : y - 7;
        return line_from(plot_.left, y, plot_.right, y, "guide") +
               text_at(plot_.right, text_y, guide.text, Anchor::kEnd, "guide-label");
    }

    std::string
    draw_line(const Series& series) const {
        if (series.points.size() < 2)
            return "";
        std::string places;
        for (const Point& point : series.points)
            places += fmt::format("{:.1f},{:.1f} ", plot_.x_of(chart_.x, point.x),
                                  plot_.y_of(chart_.y, point.y));
        places.pop_back();
        return fmt::format(R"(<polyline class="curve c{}{}" points="{}"/>)", series.colour,
                           series.is_dashed ? " dashed" : "", places);
    }

    /// The names of the lines, right of the plot, at the height of their last points or near it.
    std::string
    draw_names() const {
        std::vector<std::size_t> order(chart_.series.size());
        std::iota(order.begin(), order.end(), 0);
        order.erase(std::remove_if(order.begin(), order.end(),
                                   [&](std::size_t i) { return chart_.series[i].points.empty(); }),
                    order.end());
        auto end_of = [&](std::size_t i) {
            return plot_.y_of(chart_.y, chart_.series[i].points.back().y);
        };
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return end_of(a) < end_of(b); });
        std::vector<double> places;
        for (std::size_t i : order)
            places.push_back(end_of(i));
        spread(places, 16, plot_.top, plot_.bottom);

        std::string svg;
        for (std::size_t n = 0; n < order.size(); n++) {
            const Series& series = chart_.series[order[n]];
            double x = plot_.x_of(chart_.x, series.points.back().x), y = end_of(order[n]);
            if (std::abs(places[n] - y) > 3 || x < plot_.right - 12)
                svg += line_from(x + 7, y, plot_.right + 6, places[n], "leader");
            svg += text_at(plot_.right + 10, places[n] + 4, series.name, Anchor::kStart,
                           fmt::format("name c{}", series.colour).c_str());
        }
        return svg;
    }

    /// Where the label before ended.
    struct Label {
        double end, y;
    };

    /// A label stands below and to the right, where a curve that rises and flattens leaves room, or
    /// nowhere if the one before is in the way; that of the chosen point above and to the left.
    std::string
    draw_label(const Point& point, double x, double y, Label& last) const {
        if (point.label.empty())
            return "";
        double width = width_of(point.label, kSmall);
        if (point.is_chosen) {
            bool has_room = x - 12 - width > plot_.left;
            return text_at(has_room ? x - 12 : x, has_room ? y - 8 : y - 15, point.label,
                           has_room ? Anchor::kEnd : Anchor::kMiddle, "label");
        }
        double label_x = x + 9, label_y = y + 17;
        if (label_x <= last.end + 4 && label_y >= last.y - 14)
            return "";
        last = {label_x + width, label_y};
        return text_at(label_x, label_y, point.label, Anchor::kStart, "label");
    }

    std::string
    draw_points(const Series& series) const {
        std::string svg;
        Label last{-1e9, -1e9};
        for (const Point& point : series.points) {
            double x = plot_.x_of(chart_.x, point.x), y = plot_.y_of(chart_.y, point.y);
            svg += open_point(fmt::format("c{}{}", series.colour, point.is_chosen ? " chosen" : ""),
                              x, y, point.title, point.facts);
            svg += fmt::format(R"(<circle class="hit" cx="{:.1f}" cy="{:.1f}" r="15"/>)", x, y);
            if (point.is_chosen)
                svg += fmt::format(R"(<circle class="ring" cx="{:.1f}" cy="{:.1f}" r="9"/>)", x, y);
            svg += mark(series.colour, x, y, 4.5);
            svg += draw_label(point, x, y, last);
            svg += "</g>";
        }
        return svg;
    }

    const LineChart& chart_;
    Size size_;
    Plot plot_;
    std::vector<double> y_ticks_;
};

std::string
draw_chart(const LineChart& chart, Size size, const std::string& kind, const std::string& label) {
    return LineDrawing(chart, size).draw(kind, label);
}

std::string
draw_span(const Span& span, const Axis& axis, const Plot& plot, double y) {
    auto x = [&](double value) { return plot.x_of(axis, value); };
    std::string svg =
        open_point(fmt::format("span c{}{}", span.colour, span.is_chosen ? " chosen" : ""),
                   x(span.p50), y, span.title, span.facts);
    svg += fmt::format(R"(<rect class="hit" x="0" y="{:.1f}" width="{:.1f}" height="30" rx="5"/>)",
                       y - 15, plot.right + 70);
    svg += text_at(plot.left - 14, y + 4.5, span.label, Anchor::kEnd, "row-label");
    svg += line_from(x(span.p5), y, x(span.p99), y, "whisker");
    svg += line_from(x(span.p99), y - 5, x(span.p99), y + 5, "whisker");
    svg += fmt::format(
        R"(<rect class="box" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="9" rx="4.5"/>)",
        x(span.p25) - 3, y - 4.5, std::max(x(span.p75) - x(span.p25), 0.0) + 6);
    svg += mark(1, x(span.p50), y, 4.5);
    svg += text_at(x(span.p99) + 8, y + 4, axis.format(span.p99), Anchor::kStart, "label");
    return svg + "</g>";
}

std::string
draw_chart(const SpanChart& chart, Size size, const std::string& kind, const std::string& label) {
    double left = width_of(chart.label_title, kTick), right = 0;
    for (const Span& row : chart.rows) {
        left = std::max(left, width_of(row.label, kTick));
        right = std::max(right, width_of(chart.x.format(row.p99), kSmall));
    }
    double height = 30.0 * chart.rows.size();
    Plot plot = {left + 18, size.width - right - 10, 26, 26 + height};
    std::string svg = open_svg(size.width, plot.bottom + 46, kind, label);
    svg += text_at(plot.left - 14, 14, chart.label_title, Anchor::kEnd, "axis-title");
    svg += draw_x_axis(chart.x, plot, true);
    for (std::size_t i = 0; i < chart.rows.size(); i++)
        svg += draw_span(chart.rows[i], chart.x, plot, plot.top + 15 + 30.0 * i);
    return svg + "</svg>";
}

std::string
draw_chart(const BarChart& chart, Size size, const std::string& kind, const std::string& label) {
    double left = 0, right = 0;
    for (const Bar& bar : chart.bars) {
        left = std::max(left, width_of(bar.label, kTick));
        right = std::max(right, width_of(bar.text, kSmall));
    }
    Plot plot = {left + 14, size.width - right - 10, 6, 6 + 32.0 * chart.bars.size()};
    std::string svg = open_svg(size.width, plot.bottom + 46, kind, label);
    svg += draw_x_axis(chart.x, plot, true);
    for (std::size_t i = 0; i < chart.bars.size(); i++) {
        const Bar& bar = chart.bars[i];
        double y = plot.top + 16 + 32.0 * i, end = plot.x_of(chart.x, bar.value);
        svg += open_point(fmt::format("bar c{}{}", bar.colour, bar.is_hollow ? " hollow" : ""), end,
                          y, bar.title, bar.facts);
        svg +=
            fmt::format(R"(<rect class="hit" x="0" y="{:.1f}" width="{:.1f}" height="32" rx="5"/>)",
                        y - 16, size.width);
        svg += text_at(plot.left - 10, y + 4.5, bar.label, Anchor::kEnd, "row-label");
        svg += fmt::format(
            R"(<rect class="fill" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="16" rx="2"/>)",
            plot.left, y - 8, std::max(end - plot.left, 1.5));
        svg += text_at(end + 8, y + 4, bar.text, Anchor::kStart, "label");
        svg += "</g>";
    }
    return svg + "</svg>";
}

}  // namespace

std::string
escape(const std::string& text) {
    std::string escaped;
    for (char c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            case '\n':
                escaped += "&#10;";
                break;
            case '\t':
                escaped += "&#9;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

std::string
draw(const Chart& chart, Size size, const std::string& kind, const std::string& label) {
    return std::visit([&](const auto& one) { return draw_chart(one, size, kind, label); }, chart);
}

}  // namespace vext::report
