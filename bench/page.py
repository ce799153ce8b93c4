#!/usr/bin/python3
"""Makes one HTML page from the JSON files that benchmarks write: needs neither network nor script, in
the look of vector-bulk's reports.

    bench/page.py -o PAGE.html RESULT.json...
"""

import argparse
import json
import os

import charts
from charts import escape

LOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../client/cpp/report")
WIDE, NARROW, HEIGHT = 860, 350, 380
POLICY = ("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
          "img-src data:")


def look(name):
    with open(os.path.join(LOOK, name), encoding="utf-8") as file:
        return file.read()


def table(head, rows):
    def cell(name, i, text, scope):
        kind = ' class="number"' if i > 0 else ""
        return f"<{name}{scope}{kind}>{escape(text)}</{name}>"
    body = "".join("<tr>" + "".join(cell("th", 0, text, ' scope="row"') if i == 0 else
                                    cell("td", i, text, "") for i, text in enumerate(row))
                   + "</tr>\n" for row in rows)
    heads = "".join(cell("th", i, text, ' scope="col"') for i, text in enumerate(head))
    return ('<div class="scroll" tabindex="0" role="group" aria-label="table"><table>\n<thead><tr>'
            f"{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n")


def section(number, data):
    name = f"section-{number}"
    parts = [f'<section class="whole" aria-labelledby="{name}">\n'
             f'<h2 id="{name}">{escape(data["title"])}</h2>\n']
    chart = data.get("chart")
    if chart:
        parts.append(f'<figure aria-labelledby="{name}">\n')
        parts.append(charts.draw(chart, WIDE, HEIGHT, "wide", data["title"]) + "\n")
        parts.append(charts.draw(chart, NARROW, HEIGHT, "narrow", data["title"]) + "\n")
        if chart.get("caption"):
            parts.append(f"<figcaption>{escape(chart['caption'])}</figcaption>\n")
        parts.append("</figure>\n")
    if data.get("head"):
        parts.append(table(data["head"], data["rows"]))
    if data.get("text"):
        parts.append(f'<pre tabindex="0"><code>{escape_lines(data["text"])}</code></pre>\n')
    if data.get("note"):
        parts.append(f'<p class="note">{escape(data["note"])}</p>\n')
    return "".join(parts) + "</section>\n"


def escape_lines(text):
    return "\n".join(map(escape, text.splitlines()))


def render(results):
    """The page of a list of results, as Report writes them."""
    title = "; ".join(dict.fromkeys(result["title"] for result in results))
    parts = ['<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
             '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
             '<meta name="color-scheme" content="light dark">\n'
             f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
             f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n'
             f'<style>\n{look("page.css")}</style>\n</head>\n<body>\n<main>\n']
    number = 0
    for result in results:
        facts = "".join(f"<div{' class=row' if len(value) > 60 else ''}><dt>{escape(name)}</dt>"
                        f"<dd>{escape(value)}</dd></div>\n" for name, value in result["facts"])
        parts.append(f'<header>\n<p class="eyebrow">{escape(result["program"])}, '
                     f'{escape(result["when"])}</p>\n<h1>{escape(result["title"])}</h1>\n'
                     f'<p class="lead">{escape(result["sides"])}</p>\n<dl>\n{facts}</dl>\n'
                     "</header>\n")
        for data in result["sections"]:
            number += 1
            parts.append(section(number, data))
    commands = "; ".join(result["command"] for result in results)
    parts.append(f'<footer>{escape(commands)}</footer>\n</main>\n<div id="readout" hidden></div>\n'
                 f'<script>\n{look("page.js")}</script>\n</body>\n</html>\n')
    return "".join(parts)


def write_page(path, results):
    with open(path, "w", encoding="utf-8") as file:
        file.write(render(results))


def main():
    parser = argparse.ArgumentParser(prog="bench/page.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", metavar="RESULT.json")
    parser.add_argument("-o", "--output", required=True, metavar="PAGE.html")
    options = parser.parse_args()
    results = []
    for path in options.results:
        with open(path, encoding="utf-8") as file:
            results.append(json.load(file))
    write_page(options.output, results)


if __name__ == "__main__":
    main()
