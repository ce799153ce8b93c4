"""Charts as inline SVG, in the look of vector-bulk's reports: client/cpp/report has the style sheet,
and chart.cpp the same drawing in C++.

A chart is plain data, as it stands in JSON:

    {"kind": "lines", "x": AXIS, "y": AXIS, "series": [{"name": ..., "points": [POINT, ...]}, ...]}
    {"kind": "bars", "x": AXIS, "bars": [{"label": ..., "value": ..., "series": 1, "facts": FACTS}]}
    {"kind": "dots", "x": AXIS, "names": [...], "rows": [{"label": ..., "points": [DOT, ...]}, ...]}

AXIS is {"title", "scale", "unit"}: scale linear, log or nines (shares by the logarithm of what they
miss); unit one of UNITS. POINT is {"x", "y", "label", "facts"}, DOT {"x", "series", "title", "facts"};
FACTS is [[name, value], ...].
"""

import math
from html import escape as escape_html

TICK, SMALL = 13, 12
SHARES = [[0, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998,
           0.9999, 1], [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1],
          [0, 0.5, 0.9, 0.99, 0.999, 1], [0, 0.9, 0.99, 1]]
DIGITS = [(1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)]


def escape(text):
    return escape_html(str(text)).replace("\n", "&#10;").replace("\t", "&#9;")


# --- numbers as people read them ---

def three_digits(value):
    decimals = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds):
    for limit, factor, unit in ((0.9995e-6, 1e9, "ns"), (0.9995e-3, 1e6, "µs"),
                                (0.9995, 1e3, "ms")):
        if 0 < seconds < limit:
            return f"{three_digits(seconds * factor)} {unit}"
    return f"{three_digits(seconds)} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def in_bytes(value):
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{three_digits(value)} {unit}"
        value /= 1024
    return f"{three_digits(value)} TB"


def count(value):
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def percent(share):
    rounded = round(share * 100, 2)
    return f"{99.99 if share < 1 and rounded >= 100 else rounded:g} %"


UNITS = {"seconds": duration, "bytes": in_bytes, "count": count, "share": percent}


# --- axes ---

class Scale:
    """Maps values from `low` to `high` to 0 .. 1. Of nines, a share of 1 is drawn at `least_miss`."""

    def __init__(self, kind, low, high, least_miss=1e-4, unit=1):
        self.kind, self.low, self.high = kind, low, high
        self.least_miss, self.unit = least_miss, unit

    def stretch(self, value):
        if self.kind == "log":
            return math.log10(max(value, self.low))
        if self.kind == "nines":
            return -math.log10(max(1 - value, self.least_miss))
        return value

    def place(self, value):
        start, end = self.stretch(self.low), self.stretch(self.high)
        return min(max((self.stretch(value) - start) / (end - start), 0), 1)

    def show(self, tick):
        """A tick of bytes, all in one unit."""
        return f"{tick / self.unit:g} " + in_bytes(self.unit).split()[1]

    def within(self, values):
        slack = (self.high - self.low) * 1e-9
        return [value for value in values if self.low - slack <= value <= self.high + slack
                and not (self.kind == "nines" and 0 < 1 - value <= self.least_miss * 1.2)]

    def ticks(self, at_most):
        candidates = []
        if self.kind == "nines":
            candidates = SHARES
        elif self.kind == "log" and self.high / self.low > 3:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            candidates = [[digit * 10.0 ** power for power in powers for digit in digits]
                          for digits in DIGITS
                          if len(digits) <= 3 or self.high / self.low <= 10]
            candidates += [[10.0 ** power for power in powers if power % every == 0]
                           for every in (2, 3, 4)]
        for values in candidates:
            found = self.within(values)
            if 2 <= len(found) <= at_most:
                return found
        for n_parts in range(at_most, 0, -1):
            step = round_step((self.high - self.low) / self.unit, n_parts) * self.unit
            first, last = math.ceil(self.low / step - 1e-6), math.floor(self.high / step + 1e-6)
            if last - first < at_most:
                return [i * step for i in range(first, last + 1)]
        return []


def round_step(extent, n_parts):
    """1, 2 or 5 times a power of ten, the least that cuts `extent` into at most `n_parts`."""
    least = extent / n_parts
    power = 10.0 ** math.floor(math.log10(least))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least * (1 - 1e-9))


def scale_of(axis, values, least_miss=1e-4):
    low, high = min(values), max(values)
    if axis["scale"] == "log":
        room = max(high / low, 1.2) ** 0.06
        return Scale("log", low / room, max(high, low * 1.2) * room)
    if axis["scale"] == "nines":
        shares = SHARES[0]
        # What is drawn lowest has room for its label below.
        miss = max(1 - low, 2 * least_miss)
        return Scale("nines",
                     max((share for share in shares[:-1]
                          if math.log10((1 - share) / miss) > 0.15), default=0),
                     min((share for share in shares if share > high
                          and 1 - share > 1.2 * least_miss), default=1), least_miss)
    # Round numbers of the unit in which people read it.
    unit = 1
    while axis["unit"] == "bytes" and high / unit >= 1000:
        unit *= 1024
    high = high or 1
    step = round_step(high / unit, 5) * unit
    return Scale("linear", 0, math.ceil(high / step - 1e-9) * step, unit=unit)


# --- SVG ---

def width_of(text, size):
    return size * sum(0.3 if c in " .,il" else 0.58 for c in text)


def text_at(x, y, text, anchor, style=""):
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(text)}</text>'


def line_from(x1, y1, x2, y2, style):
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def open_point(style, x, y, title, facts):
    spoken = "; ".join([title, *(f"{name} {value}" for name, value in facts)])
    data = "\n".join(f"{name}\t{value}" for name, value in facts)
    plain = "\n".join([title, *(f"{name}: {value}" for name, value in facts)])
    return (f'<g class="point {style}" tabindex="0" role="img" aria-label="{escape(spoken)}" '
            f'data-x="{x:.1f}" data-y="{y:.1f}" data-title="{escape(title)}" '
            f'data-facts="{escape(data)}"><title>{escape(plain)}</title>')


def mark(colour, x, y, r=4.5):
    """Shapes differ as the colours do."""
    shape = (colour - 1) % 4
    if shape == 1:
        return (f'<rect class="mark" x="{x - 0.9 * r:.1f}" y="{y - 0.9 * r:.1f}" '
                f'width="{1.8 * r:.1f}" height="{1.8 * r:.1f}"/>')
    if shape == 2:
        return (f'<path class="mark" d="M{x:.1f} {y - 1.2 * r:.1f}l{1.15 * r:.1f} {2 * r:.1f}'
                f'h{-2.3 * r:.1f}z"/>')
    if shape == 3:
        half = f"{1.25 * r:.1f}"
        return (f'<path class="mark" d="M{x:.1f} {y - 1.25 * r:.1f}l{half} {half}l-{half} {half}'
                f'l-{half} -{half}z"/>')
    return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'


class Plot:
    """The part of a drawing between its margins, and its axes."""

    def __init__(self, left, right, top, bottom):
        self.left, self.right, self.top, self.bottom = left, right, top, bottom

    def x(self, scale, value):
        return self.left + scale.place(value) * (self.right - self.left)

    def y(self, scale, value):
        return self.bottom - scale.place(value) * (self.bottom - self.top)

    def draw_x_axis(self, axis, scale, has_grid):
        show = scale.show if axis["unit"] == "bytes" else UNITS[axis["unit"]]
        for n in range(min(max(int((self.right - self.left) / 62), 3), 10), 1, -1):
            parts, last_end, fits = [], -math.inf, True
            for tick in scale.ticks(n):
                x, half = self.x(scale, tick), width_of(show(tick), TICK) / 2
                fits = fits and x - half >= last_end + 8
                last_end = x + half
                parts.append(line_from(x, self.top if has_grid else self.bottom, x, self.bottom + 5,
                                       "grid" if has_grid else "tick"))
                parts.append(text_at(x, self.bottom + 20, show(tick), "middle", "tick-label"))
            if fits:
                break
        return [*parts, line_from(self.left, self.bottom, self.right, self.bottom, "axis"),
                text_at(self.right, self.bottom + 39, axis["title"], "end", "axis-title")]


def frame(width, height, kind, label, parts):
    return (f'<svg class="chart {kind}" viewBox="0 0 {width:.0f} {height:.0f}" role="group" '
            f'aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg">'
            + "".join(parts) + "</svg>")


def draw_lines(chart, width, height, kind, label):
    points = [point for series in chart["series"] for point in series["points"]]
    least_miss = chart.get("least_miss", 1e-4)
    x_scale = scale_of(chart["x"], [point["x"] for point in points])
    y_scale = scale_of(chart["y"], [point["y"] for point in points], least_miss)
    show = UNITS[chart["y"]["unit"]]
    ticks = y_scale.ticks(int((height - 80) / 34))
    names = [series["name"] for series in chart["series"]]
    # Names are bold.
    right = 1.08 * max(width_of(name, SMALL) for name in names) + 22 if len(names) > 1 else 22
    plot = Plot(max(width_of(show(tick), TICK) for tick in ticks) + 12, width - right, 34,
                height - 46)
    parts = [text_at(0, 14, chart["y"]["title"], "start", "axis-title")]
    for tick in ticks:
        y = plot.y(y_scale, tick)
        parts += [line_from(plot.left, y, plot.right, y, "grid"),
                  text_at(plot.left - 10, y + 4.5, show(tick), "end", "tick-label")]
    parts += plot.draw_x_axis(chart["x"], x_scale, False)
    ends = []
    for colour, series in enumerate(chart["series"], 1):
        places = [(plot.x(x_scale, p["x"]), plot.y(y_scale, p["y"])) for p in series["points"]]
        ends.append((places[-1][1], places[-1][0], colour, series["name"]))
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline class="curve c{colour}" points="{path}"/>')
    if len(names) > 1:
        parts += draw_names(sorted(ends), plot)
    for colour, series in enumerate(chart["series"], 1):
        for point in series["points"]:
            x, y = plot.x(x_scale, point["x"]), plot.y(y_scale, point["y"])
            parts += [open_point(f"c{colour}", x, y, f"{series['name']}, {point['title']}",
                                 point["facts"]),
                      f'<circle class="hit" cx="{x:.1f}" cy="{y:.1f}" r="15"/>',
                      mark(colour, x, y)]
            if point.get("label"):
                parts.append(text_at(x + 9, y + 17, point["label"], "start", "label"))
            parts.append("</g>")
    return frame(width, height, kind, label, parts)


def draw_names(ends, plot):
    """The names of lines right of the plot, at the height of their ends or near it."""
    places = [end[0] for end in ends]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + 16)
    limit = plot.bottom
    for i in reversed(range(len(places))):
        places[i] = max(min(places[i], limit), plot.top)
        limit = places[i] - 16
    parts = []
    for place, (y, x, colour, name) in zip(places, ends):
        if abs(place - y) > 3 or x < plot.right - 12:
            parts.append(line_from(x + 7, y, plot.right + 6, place, "leader"))
        parts.append(text_at(plot.right + 10, place + 4, name, "start", f"name c{colour}"))
    return parts


def draw_bars(chart, width, _, kind, label):
    bars, show = chart["bars"], UNITS[chart["x"]["unit"]]
    scale = scale_of(chart["x"], [bar["value"] for bar in bars])
    left = max(width_of(bar["label"], TICK) for bar in bars) + 14
    right = max(width_of(show(bar["value"]), SMALL) for bar in bars) + 10
    plot = Plot(left, width - right, 6, 6 + 32 * len(bars))
    parts = plot.draw_x_axis(chart["x"], scale, True)
    for i, bar in enumerate(bars):
        y, end = plot.top + 16 + 32 * i, plot.x(scale, bar["value"])
        parts += [open_point(f"bar c{bar['series']}", end, y, bar["label"],
                             bar.get("facts") or [[chart["x"]["title"], show(bar["value"])]]),
                  f'<rect class="hit" x="0" y="{y - 16:.1f}" width="{width:.1f}" height="32" rx="5"/>',
                  text_at(left - 10, y + 4.5, bar["label"], "end", "row-label"),
                  f'<rect class="fill" x="{left:.1f}" y="{y - 8:.1f}" '
                  f'width="{max(end - left, 1.5):.1f}" height="16" rx="2"/>',
                  text_at(end + 8, y + 4, show(bar["value"]), "start", "label"), "</g>"]
    return frame(width, plot.bottom + 46, kind, label, parts)


def draw_dots(chart, width, _, kind, label):
    """A line of dots for each row, and the names of the series above."""
    rows = chart["rows"]
    scale = scale_of(chart["x"], [point["x"] for row in rows for point in row["points"]],
                     chart.get("least_miss", 1e-4))
    left = max(width_of(row["label"], TICK) for row in rows) + 14
    # A narrow page has the labels above their dots.
    is_narrow = left > width / 2
    step = 36 if is_narrow else 20
    plot = Plot(10 if is_narrow else left, width - 14, 30, 30 + step * len(rows))
    parts = plot.draw_x_axis(chart["x"], scale, True)
    at = plot.left
    for series, name in enumerate(chart["names"], 1):
        parts += [f'<g class="c{series}">{mark(series, at + 5, 12)}</g>',
                  text_at(at + 16, 16, name, "start", f"name c{series}")]
        at += width_of(name, SMALL) + 46
    for i, row in enumerate(rows):
        y = plot.top + step * (i + 0.5) + (8 if is_narrow else 0)
        parts.append(text_at(plot.left, y - 12, row["label"], "start", "row-label") if is_narrow else
                     text_at(plot.left - 10, y + 4.5, row["label"], "end", "row-label"))
        for point in row["points"]:
            x = plot.x(scale, point["x"])
            parts += [open_point(f"c{point['series']}", x, y, f"{row['label']}: {point['title']}",
                                 point["facts"]), mark(point["series"], x, y, 3.5), "</g>"]
    return frame(width, plot.bottom + 46, kind, label, parts)


def draw(chart, width, height, kind, label):
    """The svg element; `kind` becomes a class."""
    return {"lines": draw_lines, "bars": draw_bars, "dots": draw_dots}[chart["kind"]](chart, width, height, kind, label)


# --- charts as data ---

def beside(unit, title, rows):
    """Bars of both sides: rows of (label, ours, peer), values or None."""
    bars = [{"label": f"{label}, {side}" if label else side, "value": value, "series": series}
            for label, *values in rows
            for series, (side, value) in enumerate(zip(("ours", "peer"), values), 1)
            if value is not None]
    return {"kind": "bars", "x": {"title": title, "scale": "linear", "unit": unit}, "bars": bars}
