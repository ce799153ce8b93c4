"""What a benchmark writes: text, tables, charts, and on what machine it ran."""

import json
import os
import platform
import sys
import time

import page

SETTINGS = ["shared_buffers", "max_parallel_workers", "synchronous_commit", "fsync", "wal_level",
            "full_page_writes", "jit", "huge_pages_status"]


class Report:
    """Prints, and appends to a Markdown file; keeps all for a JSON file and a page, which are written
    anew after each table, so that a run that is ended leaves what it has measured."""

    def __init__(self, path, json_path=None):
        self.file = open(path, "a", encoding="utf-8")
        self.json_path = json_path or os.path.splitext(path)[0] + ".json"
        self.result = {"program": "bench/" + os.path.splitext(os.path.basename(path))[0],
                       "title": "", "sides": "", "when": "", "command": "", "facts": [],
                       "sections": []}

    def write(self, text):
        print(text, flush=True)
        print(text, file=self.file, flush=True)

    def table(self, title, head, rows, note, chart=None):
        """`chart` is as charts.py tells, or None."""
        self.write(f"### {title}\n")
        self.write("| " + " | ".join(head) + " |")
        self.write("|" + "---|" * len(head))
        for row in rows:
            self.write("| " + " | ".join(row) + " |")
        self.write(f"\n{note}\n")
        self.add({"title": title, "head": head, "rows": rows, "note": note, "chart": chart})

    def text(self, title, text):
        """A text as it came from a program."""
        self.write(f"### {title}\n")
        self.write(f"```\n{text}```\n")
        self.add({"title": title, "text": text})

    def add(self, section):
        self.result["sections"].append(section)
        self.save()
        page.write_page(self.page_path(), [self.result])

    def save(self):
        """Writes the JSON file."""
        with open(self.json_path, "w", encoding="utf-8") as file:
            json.dump(self.result, file, indent=1, ensure_ascii=False)

    def page_path(self):
        return os.path.splitext(self.json_path)[0] + ".html"

    def finish(self):
        self.write(f"Page: {os.path.relpath(self.page_path())}; its numbers: "
                   f"{os.path.relpath(self.json_path)}\n")

    @staticmethod
    def progress(text):
        print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith(("model name", "CPU part")):
                return line.split(":")[1].strip()
    return platform.machine()


def describe(report, title, sides, dataset, storage):
    """Heads a report: versions, machine, data, settings, and the command."""
    ours = sides[0]
    # Some servers lack one.
    settings = {name: ours.sql(f"SELECT current_setting('{name}', true)") for name in SETTINGS}
    kernels = ours.sql("LOAD 'vector_ext'; SHOW vector_ext.simd")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    program = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    result = report.result
    result["title"] = title
    result["sides"] = f"{ours.version()} (ours)"
    if len(sides) > 1:
        result["sides"] += f" beside {sides[1].version()} (peer)"
    result["when"] = time.strftime("%Y-%m-%d %H:%M")
    result["command"] = f"bench/{' '.join([program, *sys.argv[1:]])}"
    result["facts"] = [
        ("server", ours.sql("SELECT version()").split(" on ")[0]),
        ("kernels of ours", kernels),
        ("machine", f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GB"),
        ("load of the last minute", f"{os.getloadavg()[0]:.1f}"),
        ("data", f"{dataset.rows:,} x {dataset.dims}, {dataset.description}"),
        ("storage", storage),
        ("settings", ", ".join(f"{name} {value}" for name, value in settings.items() if value))]
    report.write(f"## {title}: {result['sides']}, {result['when']}\n")
    report.write(f"- command: `{result['command']}`")
    for name, fact in result["facts"]:
        report.write(f"- {name}: {fact}")
    report.write("")
