"""What a benchmark writes: text, tables, and on what machine it ran."""

import os
import platform
import sys
import time

SETTINGS = ["shared_buffers", "max_parallel_workers", "synchronous_commit", "fsync", "wal_level",
            "full_page_writes", "jit", "huge_pages_status"]


class Report:
    """Prints, and appends to a Markdown file."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")

    def write(self, text):
        print(text, flush=True)
        print(text, file=self.file, flush=True)

    def table(self, title, head, rows, note):
        self.write(f"### {title}\n")
        self.write("| " + " | ".join(head) + " |")
        self.write("|" + "---|" * len(head))
        for row in rows:
            self.write("| " + " | ".join(row) + " |")
        self.write(f"\n{note}\n")

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
    ours, peer = sides
    settings = [f"{name} {ours.sql(f'SHOW {name}')}" for name in SETTINGS]
    kernels = ours.sql("LOAD 'vector_ext'; SHOW vector_ext.simd")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    report.write(f"## {title}: {ours.version()} (ours) beside {peer.version()} (peer), "
                 f"{time.strftime('%Y-%m-%d %H:%M')}\n")
    program = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    report.write(f"- command: `bench/{' '.join([program, *sys.argv[1:]])}`")
    report.write(f"- server: {ours.sql('SELECT version()')}; kernels of ours: {kernels}")
    report.write(f"- machine: {processor()}, {os.cpu_count()} cores, {memory:.0f} GB; load of the "
                 f"last minute {os.getloadavg()[0]:.1f}")
    report.write(f"- data: {dataset.rows:,} x {dataset.dims}, {dataset.description}; storage "
                 f"{storage}")
    report.write(f"- settings: {', '.join(settings)}\n")
