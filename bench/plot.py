"""Draws recall against the time of a query, as SVG.

Time is drawn by its logarithm. Recall is drawn by the logarithm of what it misses, 1 - recall, so that
0.9, 0.99 and 0.999 lie equally far apart.
"""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 480
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 64, 60
COLOURS = ["#0b62a4", "#c8541c", "#2f7d32", "#6a3d9a"]
RECALL_TICKS = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998,
                0.9999]
STYLE = ("text { font: 13px sans-serif; fill: #222 } .title { font-size: 16px; font-weight: bold }"
         " .small { font-size: 11px; fill: #444 } .grid { stroke: #ddd } .frame { stroke: #444; "
         "fill: none }")


class Axis:
    """Maps values between `low` and `high` to pixels, evenly in `scale(value)`."""

    def __init__(self, low, high, first, last, scale):
        self.low, self.high, self.scale = low, high, scale
        self.is_capped = False  # whether what lies beyond is drawn at `high`
        self.first = first
        self.per_unit = (last - first) / (scale(high) - scale(low))

    def place(self, value):
        return self.first + (self.scale(value) - self.scale(self.low)) * self.per_unit

    def ticks_of(self, values):
        return [value for value in values if self.low <= value <= self.high]


def recall_axis(recalls, least_miss):
    """From a tick well below the lowest recall to one above the highest. A recall of 1 is drawn at
    1 - `least_miss`, the best that so many queries could tell from it."""
    def scale(recall):
        return -math.log10(max(1 - recall, least_miss))
    low = max(tick for tick in RECALL_TICKS
              if tick == 0 or scale(tick) < scale(min(recalls)) - 0.08)
    above = [tick for tick in RECALL_TICKS
             if tick > max(recalls) and tick > low and 1 - tick > least_miss]
    axis = Axis(low, above[0] if above else 1 - least_miss, HEIGHT - BOTTOM, TOP, scale)
    axis.is_capped = not above
    return axis


def time_axis(times):
    return Axis(min(times) / 1.15, max(times) * 1.3, LEFT, WIDTH - RIGHT, math.log10)


def time_ticks(axis):
    decades = range(math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high)) + 1)
    ticks = axis.ticks_of([digit * 10.0 ** decade for decade in decades for digit in range(1, 10)])
    if len(ticks) > 10:
        ticks = axis.ticks_of([digit * 10.0 ** decade for decade in decades
                               for digit in (1, 2, 5)])
    return ticks


def in_milliseconds(value):
    return f"{value:g} ms" if value >= 1 else f"{value * 1000:g} µs"


def text(x, y, content, anchor="middle", style="", turn=""):
    kind = f' class="{style}"' if style else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}{turn}>'
            f"{escape(content)}</text>")


def line(x1, y1, x2, y2, style):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def draw_grid(x, y):
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for tick in time_ticks(x):
        parts.append(line(x.place(tick), TOP, x.place(tick), bottom, 'class="grid"'))
        parts.append(text(x.place(tick), bottom + 18, in_milliseconds(tick)))
    for tick in y.ticks_of(RECALL_TICKS):
        parts.append(line(LEFT, y.place(tick), right, y.place(tick), 'class="grid"'))
        if y.place(tick) > TOP + 12:
            parts.append(text(LEFT - 8, y.place(tick) + 4, f"{tick:g}", "end"))
    parts.append(text(LEFT - 8, TOP + 4, "1" if y.is_capped else f"{y.high:g}", "end"))
    parts.append(f'<rect x="{LEFT}" y="{TOP}" width="{right - LEFT}" height="{bottom - TOP}" '
                 'class="frame"/>')
    return parts


def draw_curve(points, x, y, colour):
    """A line through (ef_search, recall, ms) points, a dot for each, its ef_search beside it."""
    places = [(x.place(ms), y.place(recall), ef) for ef, recall, ms in points]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py, _ in places)
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for px, py, ef in places:
        parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.5" fill="{colour}"/>')
        parts.append(text(px + 6, py + 14, str(ef), "start", "small"))
    return parts


def draw(path, title, curves, least_miss):
    """Writes the plot of `curves`, {name: [(ef_search, recall, ms)]}, to the file `path`."""
    points = [point for curve in curves.values() for point in curve]
    x = time_axis([ms for _, _, ms in points])
    y = recall_axis([recall for _, recall, _ in points], least_miss)
    parts = [text(LEFT, 26, title, "start", "title"), *draw_grid(x, y)]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16,
                      "time of one query, one client (numbers at the points: ef_search)"))
    parts.append(text(20, middle, "recall@10", turn=f' transform="rotate(-90 20 {middle})"'))
    at = LEFT
    for (name, curve), colour in zip(curves.items(), COLOURS):
        parts += draw_curve(curve, x, y, colour)
        parts.append(line(at, 46, at + 24, 46, f'stroke="{colour}" stroke-width="3"'))
        parts.append(text(at + 30, 50, name, "start"))
        at += 60 + 8 * len(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                   f'width="{WIDTH}" height="{HEIGHT}">\n<style>{STYLE}</style>\n'
                   f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
                   + "\n".join(parts) + "\n</svg>\n")
