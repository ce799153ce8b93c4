#include "report/page.h"

#include <fmt/format.h>

#include "report/assets.h"  // made from page.css and page.js by the build

namespace vext::report {

namespace {

constexpr double kWide = 860, kMiddle = 420, kNarrow = 350;

std::string
element(const char* name, const char* style, const std::string& text) {
    if (text.empty())
        return "";
    return fmt::format("<{0}{1}>{2}</{0}>\n", name,
                       *style ? fmt::format(R"( class="{}")", style) : "", escape(text));
}

std::string
to_html(const Table& table) {
    std::string html =
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"table\">"
        "<table>\n<thead><tr>";
    auto style_of = [&](std::size_t column) {
        return static_cast<int>(column) < table.n_left ? "" : R"( class="number")";
    };
    for (std::size_t i = 0; i < table.head.size(); i++)
        html += fmt::format(R"(<th scope="col"{}>{}</th>)", style_of(i), escape(table.head[i]));
    html += "</tr></thead>\n<tbody>\n";
    for (std::size_t n = 0; n < table.rows.size(); n++) {
        html += table.chosen == static_cast<int>(n) ? R"(<tr class="chosen">)" : "<tr>";
        for (std::size_t i = 0; i < table.rows[n].size(); i++) {
            const char* name = i == 0 ? "th" : "td";
            html += fmt::format("<{0}{1}{2}>{3}</{0}>", name, i == 0 ? R"( scope="row")" : "",
                                style_of(i), escape(table.rows[n][i]));
        }
        html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
}

std::string
to_html(const Figure& figure, const Section& section) {
    std::string html = fmt::format("<figure aria-labelledby=\"{}-title\">\n", section.id);
    Size narrow = {kNarrow, figure.height * 0.9};
    Size other = {section.is_wide ? kWide : kMiddle, figure.height};
    html += draw(figure.chart, other, "wide", section.title) + "\n";
    html += draw(figure.chart, narrow, "narrow", section.title) + "\n";
    html += element("figcaption", "", figure.caption);
    html += "<details><summary>The numbers</summary>\n" + to_html(figure.data) + "</details>\n";
    return html + "</figure>\n";
}

std::string
to_html(const Section& section) {
    std::string html = fmt::format(
        "<section class=\"{}\" aria-labelledby=\"{}-title\">\n<h2 id=\"{}-title\">{}</h2>\n",
        section.is_wide ? "whole" : "half", section.id, section.id, escape(section.title));
    html += element("p", "", section.text);
    for (const std::string& code : section.code)
        html += "<pre tabindex=\"0\"><code>" + escape(code) + "</code></pre>\n";
    if (section.figure)
        html += to_html(*section.figure, section);
    if (section.table)
        html += to_html(*section.table);
    return html + "</section>\n";
}

}  // namespace

std::string
render(const Page& page) {
    std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    html +=
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n";
    html += element("title", "", page.eyebrow + ": " + page.title);
    html += fmt::format("<style>\n{}</style>\n</head>\n<body>\n<main>\n<header>\n", kPageCss);
    html += element("p", "eyebrow", page.eyebrow) + element("h1", "", page.title) +
            element("p", "lead", page.lead);
    if (!page.facts.empty()) {
        html += "<dl>\n";
        for (const Fact& fact : page.facts)
            html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(fact.name),
                                escape(fact.value));
        html += "</dl>\n";
    }
    html += "</header>\n";
    for (const Section& section : page.sections)
        html += to_html(section);
    html += element("footer", "", page.footer) + "</main>\n";
    html += "<div id=\"readout\" hidden></div>\n";
    return html + fmt::format("<script>\n{}</script>\n</body>\n</html>\n", kPageJs);
}

}  // namespace vext::report
