// Reports: axes with round numbers, charts whose points can be focused and stay within their frame,
// pages that need nothing from outside and hold any name without harm.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>
#include <string>
#include <vector>

#include "report/chart.h"
#include "report/format.h"
#include "report/page.h"
#include "report/scale.h"
#include "report/text_table.h"

namespace vext::report {

namespace {

using Numbers = std::vector<double>;

std::size_t
count_of(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        n++;
    return n;
}

void
expect_near(const Numbers& found, const Numbers& wanted) {
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); i++)
        EXPECT_NEAR(found[i], wanted[i], 1e-9 * std::max(1.0, std::abs(wanted[i])));
}

/// Every tag that is opened is closed, in order; returns what is wrong.
std::string
unbalanced_tags(const std::string& html) {
    static const std::vector<std::string> kVoid = {"meta",   "link", "line",     "rect",
                                                   "circle", "path", "polyline", "!DOCTYPE"};
    // Style sheet and script hold no tags.
    const std::string text =
        std::regex_replace(std::regex_replace(html, std::regex("<style>[^<]*</style>"), ""),
                           std::regex("<script>[^]*?</script>"), "");
    std::vector<std::string> open;
    const std::regex tag("<(/?)([A-Za-z0-9!]+)([^<>]*?)(/?)>");
    for (std::sregex_iterator at(text.begin(), text.end(), tag), end; at != end; ++at) {
        const std::string name = (*at)[2];
        if (std::find(kVoid.begin(), kVoid.end(), name) != kVoid.end() || (*at)[4] == "/")
            continue;
        if ((*at)[1] != "/") {
            open.push_back(name);
        } else {
            if (open.empty() || open.back() != name)
                return "</" + name + "> after <" + (open.empty() ? "" : open.back()) + ">";
            open.pop_back();
        }
    }
    return open.empty() ? "" : "open: " + open.back();
}

Axis
share_axis() {
    return {nines_scale(0.9, 0.999, 1e-4), "recall", [](double v) { return percent(v, 2); }};
}

LineChart
line_chart() {
    LineChart chart{
        {log_scale(1e-4, 1e-3), "time", duration}, share_axis(), {}, Guide{0.95, "wanted"}};
    for (int colour = 1; colour <= 2; colour++) {
        Series series{"series " + std::to_string(colour), colour, colour == 2, {}};
        for (int i = 0; i < 5; i++)
            series.points.push_back({1e-4 * (1 + 2 * i),
                                     0.9 + 0.02 * i * colour / 2,
                                     std::to_string(i),
                                     "point " + std::to_string(i),
                                     {{"recall", "x"}, {"time", "y"}},
                                     i == 3});
        chart.series.push_back(series);
    }
    return chart;
}

SpanChart
span_chart() {
    return {{log_scale(1e-4, 1e-2), "time", duration},
            "ef_search",
            {{"10", 1e-4, 2e-4, 3e-4, 4e-4, 1e-3, 1, "ef_search 10", {{"p50", "300 µs"}}},
             {"20", 2e-4, 3e-4, 4e-4, 5e-4, 1e-2, 1, "ef_search 20", {{"p50", "400 µs"}}, true}}};
}

BarChart
bar_chart() {
    return {{linear_scale(0, 90, true), "size", plain},
            {{"table", 90, "90 MB", 1, false, "table", {{"size", "90 MB"}}},
             {"nothing", 0, "0 MB", 2, true, "nothing", {}}}};
}

/// Numbers of places in the SVG are within its frame, but for what may stand a little outside.
void
expect_within(const std::string& svg) {
    std::smatch box;
    ASSERT_TRUE(std::regex_search(svg, box, std::regex(R"re(viewBox="0 0 (\d+) (\d+)")re")));
    const double width = std::stod(box[1]), height = std::stod(box[2]);
    const std::regex place(R"re( (cx|cy|x|y|x1|x2|y1|y2)="([^"]*)")re");
    for (std::sregex_iterator at(svg.begin(), svg.end(), place), end; at != end; ++at) {
        const double value = std::stod((*at)[2]);
        EXPECT_GE(value, -20) << (*at)[0];
        EXPECT_LE(value, ((*at)[1].str().find('x') != std::string::npos ? width : height) + 1)
            << (*at)[0];
    }
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
}

}  // namespace

TEST(ReportScale, NamesRoundNumbers) {
    expect_near(Scale(ScaleKind::kLinear, 0, 100).ticks(6), {0, 20, 40, 60, 80, 100});
    expect_near(Scale(ScaleKind::kLinear, 0.13, 0.47).ticks(4), {0.2, 0.3, 0.4});
    expect_near(Scale(ScaleKind::kLog, 6e-5, 2e-3).ticks(6), {1e-4, 2e-4, 5e-4, 1e-3, 2e-3});
    expect_near(Scale(ScaleKind::kLog, 1e-4, 1.6e-4).ticks(4), {1e-4, 1.2e-4, 1.4e-4, 1.6e-4});
    expect_near(Scale(ScaleKind::kLog, 1e-6, 1e3).ticks(5), {1e-6, 1e-4, 1e-2, 1, 100});
    expect_near(Scale(ScaleKind::kNines, 0.9, 0.999).ticks(8),
                {0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999});
    expect_near(Scale(ScaleKind::kNines, 0.9, 1, 1e-3).ticks(5), {0.9, 0.95, 0.99, 0.995, 1});
}

TEST(ReportScale, KeepsToTheNumberOfTicksAndToTheRange) {
    for (double low : {1e-6, 0.02, 0.5, 3.0, 90.0})
        for (double factor : {1.05, 1.5, 3.5, 20.0, 1e5})
            for (int at_most = 3; at_most <= 10; at_most++)
                for (ScaleKind kind : {ScaleKind::kLinear, ScaleKind::kLog}) {
                    const auto ticks = Scale(kind, low, low * factor).ticks(at_most);
                    EXPECT_LE(static_cast<int>(ticks.size()), at_most);
                    EXPECT_GE(ticks.size(), 1u) << low << " " << factor << " " << at_most;
                    EXPECT_TRUE(std::is_sorted(ticks.begin(), ticks.end()));
                    for (double tick : ticks) {
                        EXPECT_GE(tick, low * (1 - 1e-5));
                        EXPECT_LE(tick, low * factor * (1 + 1e-5));
                    }
                }
}

TEST(ReportScale, PlacesFromOneEndToTheOther) {
    const Scale nines(ScaleKind::kNines, 0.9, 0.999);
    EXPECT_NEAR(nines.place(0.9), 0, 1e-9);
    EXPECT_NEAR(nines.place(0.99), 0.5, 1e-9);
    EXPECT_NEAR(nines.place(0.999), 1, 1e-9);
    EXPECT_EQ(nines.place(1), 1);
    EXPECT_EQ(nines.place(0), 0);
    const Scale log(ScaleKind::kLog, 1, 100);
    EXPECT_NEAR(log.place(10), 0.5, 1e-9);
    EXPECT_EQ(log.place(0), 0);
    EXPECT_EQ(log.place(1e9), 1);
    EXPECT_EQ(log.place(std::nan("")), 0);
}

TEST(ReportScale, HoldsWhatItIsMadeFor) {
    for (double low : {0.0, 0.31, 0.94, 0.9995, 1.0})
        for (double high : {0.95, 0.9999, 1.0}) {
            const Scale scale = nines_scale(std::min(low, high), high, 5e-4);
            EXPECT_LE(scale.low(), std::min(low, high));
            EXPECT_GE(scale.high(), high);
            EXPECT_LT(scale.low(), scale.high());
            EXPECT_GE(scale.ticks(9).size(), 2u) << low << " " << high;
        }
    EXPECT_LT(log_scale(5, 5).low(), 5);
    EXPECT_GT(log_scale(5, 5).high(), 5);
    EXPECT_GT(log_scale(0, 0).low(), 0);
    EXPECT_LT(linear_scale(7, 7, false).low(), linear_scale(7, 7, false).high());
    EXPECT_EQ(linear_scale(3, 88, true).low(), 0);
    EXPECT_EQ(linear_scale(3, 88, true).high(), 100);
}

TEST(ReportFormat, ReadsAsPeopleDo) {
    EXPECT_EQ(duration(0), "0 s");
    EXPECT_EQ(duration(9.5e-7), "950 ns");
    EXPECT_EQ(duration(104.4e-6), "104 µs");
    EXPECT_EQ(duration(0.9996e-3), "1 ms");
    EXPECT_EQ(duration(1.254e-3), "1.25 ms");
    EXPECT_EQ(duration(59.96), "1 min");
    EXPECT_EQ(duration(125), "2 min 5 s");
    EXPECT_EQ(duration(4320), "1 h 12 min");
    EXPECT_EQ(duration(3599.6), "1 h");
    EXPECT_EQ(bytes(0), "0 B");
    EXPECT_EQ(bytes(8192), "8 kB");
    EXPECT_EQ(bytes(1023), "1 kB");
    EXPECT_EQ(bytes(91.1 * 1024 * 1024), "91.1 MB");
    EXPECT_EQ(count(1234567), "1,234,567");
    EXPECT_EQ(count(999), "999");
    EXPECT_EQ(count(-1234), "-1,234");
    EXPECT_EQ(percent(0.9512), "95.1 %");
    EXPECT_EQ(percent(1), "100 %");
    EXPECT_EQ(percent(0.9999), "99.9 %");
    EXPECT_EQ(percent(0.00001), "0.1 %");
    EXPECT_EQ(percent(0), "0 %");
}

TEST(ReportFormat, AlignsTablesByCharacters) {
    Table table{{"name", "µs"}, {{"a", "1 µs"}, {"bcdefg", "12 µs"}}, 1, 1};
    EXPECT_EQ(to_text(table),
              "  name       µs\n"
              "  a        1 µs\n"
              "* bcdefg  12 µs\n");
    EXPECT_EQ(to_text(std::vector<Fact>{{"a", "1"}, {"long", "2"}}), "a     1\nlong  2\n");
}

TEST(ReportChart, HasAFocusablePointForEachNumber) {
    const Size size{860, 360};
    const std::vector<std::pair<Chart, std::size_t>> charts = {
        {line_chart(), 10}, {span_chart(), 2}, {bar_chart(), 2}};
    for (const auto& [chart, n_points] : charts)
        for (double width : {350.0, 860.0}) {
            const std::string svg = draw(chart, {width, size.height}, "wide", "a chart");
            EXPECT_EQ(count_of(svg, "class=\"point "), n_points);
            EXPECT_EQ(count_of(svg, "tabindex=\"0\""), n_points);
            EXPECT_EQ(count_of(svg, "role=\"img\" aria-label=\""), n_points);
            EXPECT_EQ(count_of(svg, "<title>"), n_points);
            EXPECT_GE(count_of(svg, "class=\"tick-label\""), 2u);
            expect_within(svg);
            EXPECT_EQ(unbalanced_tags(svg), "");
        }
}

TEST(ReportChart, TellsTheNumbersOfAPoint) {
    const std::string svg = draw(line_chart(), {860, 360}, "wide", "a chart");
    EXPECT_NE(svg.find("aria-label=\"point 3; recall x; time y\""), std::string::npos);
    EXPECT_NE(svg.find("data-facts=\"recall&#9;x&#10;time&#9;y\""), std::string::npos);
    EXPECT_EQ(count_of(svg, "class=\"ring\""), 2u);
    EXPECT_NE(svg.find(">wanted</text>"), std::string::npos);
    EXPECT_NE(svg.find(">series 1</text>"), std::string::npos);
}

TEST(ReportChart, KeepsNamesOfLinesApart) {
    LineChart chart = line_chart();
    chart.series.clear();
    for (int i = 0; i < 6; i++)
        chart.series.push_back({"same end", i + 1, false, {{5e-4, 0.99, "", "p", {}}}});
    const std::string svg = draw(chart, {860, 360}, "wide", "a chart");
    std::vector<double> places;
    const std::regex name(R"re(y="([\d.]+)" text-anchor="start" class="name)re");
    for (std::sregex_iterator at(svg.begin(), svg.end(), name), end; at != end; ++at)
        places.push_back(std::stod((*at)[1]));
    ASSERT_EQ(places.size(), 6u);
    std::sort(places.begin(), places.end());
    for (std::size_t i = 1; i < places.size(); i++)
        EXPECT_GE(places[i] - places[i - 1], 15.9);
}

TEST(ReportChart, DrawsOnePointAndNone) {
    LineChart chart = line_chart();
    chart.series.resize(1);
    chart.series[0].points.resize(1);
    expect_within(draw(chart, {350, 300}, "narrow", "a chart"));
    chart.series[0].points.clear();
    expect_within(draw(chart, {350, 300}, "narrow", "a chart"));
    chart.series.clear();
    expect_within(draw(chart, {350, 300}, "narrow", "a chart"));
    expect_within(draw(SpanChart{{log_scale(1, 2), "", plain}, "", {}}, {350, 300}, "narrow", "a"));
}

TEST(ReportPage, NeedsNothingFromOutside) {
    Page page{"tune", "items", "lead", {{"rows", "5"}}, {}, "footer"};
    const Table data{{"a", "b"}, {{"1", "2"}}, 1, {}};
    page.sections.push_back(
        {"one", "One", "text", {"SELECT 1;"}, Figure{line_chart(), "c", data}, data, true});
    page.sections.push_back({"two", "Two", "", {}, Figure{span_chart(), "", data}, {}, false});
    const std::string html = render(page);
    EXPECT_EQ(unbalanced_tags(html), "");
    EXPECT_EQ(html.find("src="), std::string::npos);
    EXPECT_EQ(html.find("@import"), std::string::npos);
    EXPECT_EQ(html.find("url("), std::string::npos);
    EXPECT_EQ(count_of(html, "http://"), count_of(html, "xmlns=\"http://www.w3.org/2000/svg\""));
    EXPECT_EQ(html.find("https://"), std::string::npos);
    EXPECT_EQ(count_of(html, "<svg "), 4u);  // each chart for wide and for narrow windows
    EXPECT_EQ(count_of(html, "<table>"), 3u);
    EXPECT_EQ(count_of(html, "<details>"), 2u);
    EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
    EXPECT_NE(html.find("prefers-color-scheme: dark"), std::string::npos);
    EXPECT_NE(html.find("SELECT 1;"), std::string::npos);
}

TEST(ReportPage, HoldsAnyNameWithoutHarm) {
    const std::string name = "</script><img src=x onerror=alert(1)> \"'&\t\n";
    Page page{name, name, name, {{name, name}}, {}, name};
    LineChart chart = line_chart();
    chart.series[0].name = chart.series[0].points[0].label = chart.series[0].points[0].title = name;
    chart.series[0].points[0].facts = {{name, name}};
    chart.x.title = name;
    chart.guide->text = name;
    page.sections.push_back(
        {"one", name, name, {name}, Figure{chart, name, {{name}, {{name}}, 1, {}}}, {}, true});
    const std::string html = render(page);
    EXPECT_EQ(html.find("<img"), std::string::npos);
    EXPECT_EQ(count_of(html, "</script>"), 1u);
    EXPECT_EQ(unbalanced_tags(html), "");
    EXPECT_EQ(escape(name),
              "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; &quot;&#39;&amp;&#9;&#10;");
}

}  // namespace vext::report
