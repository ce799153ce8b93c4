#!/usr/bin/python3
"""Measures CREATE INDEX of vector_ext and of pgvector on a running server (started by bench/build)."""

import argparse
import os
import re
import statistics
from typing import NamedTuple

import charts
from dataset import HERE, Dataset
from experiments import K, Experiments
from report import Report, describe
from side import MemoryWatch, PhaseWatch, Side


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/build", description=__doc__)
    parser.add_argument("--quick", action="store_true",
                        help="20,000 x 256, one turn: some minutes")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dims", type=int, default=768, help="of generated vectors")
    parser.add_argument("--queries", type=int, default=500, help="held-out queries")
    parser.add_argument("--seed", type=int, default=1, help="of generated vectors")
    parser.add_argument("--data", default=os.environ.get("VECTOR_EXT_DATA"),
                        help="real data from this folder; VECTOR_EXT_DATA by default")
    parser.add_argument("--storage", default="plain", help="of the vectors, on both sides")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--maintenance-work-mem", default="2GB")
    parser.add_argument("--m", type=int, default=16)
    parser.add_argument("--ef-construction", type=int, default=64)
    parser.add_argument("--ef", type=int, nargs="+", default=[10, 20, 40, 80, 160, 320, 640])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of a turn of search")
    parser.add_argument("--limit", type=int, default=1800, help="seconds any one step may take")
    parser.add_argument("--json", metavar="FILE",
                        help="where the numbers go, and FILE's .html; build/bench/build.json by default")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.dims, options.queries = min(options.rows, 20_000), 256, 200
        options.turns, options.seconds = 1, 1
    if options.turns < 1 or min(options.processes) < 1:
        parser.error("at least one turn, and one process")
    options.spare = 0
    return options


class Built(NamedTuple):
    ms: float
    peak: int
    phases: dict  # name: seconds
    notices: list


class Builds(Experiments):
    def create_index(self, side, processes):
        """Builds the index and tells what it took. The phases of ours are those that the build
        logs; the peer's are watched from outside."""
        options = self.options
        side.sql("DROP INDEX IF EXISTS t_v_idx; CHECKPOINT")
        with MemoryWatch() as memory, PhaseWatch(side) as watch:
            told = side.psql(
                "SET client_min_messages = debug1; SET log_statement_stats = on;\n"
                "CREATE INDEX t_v_idx ON t USING hnsw (v vector_l2_ops) WITH "
                f"(m = {options.m}, ef_construction = {options.ef_construction})",
                {"max_parallel_maintenance_workers": processes - 1,
                 "maintenance_work_mem": options.maintenance_work_mem}).stderr
        elapsed = re.findall(r"^!.* ([0-9.]+) s elapsed", told, re.M)[-1]
        logged = re.search(r'built index "t_v_idx": (.*)', told)
        phases = ({name: float(seconds) for name, seconds
                   in re.findall(r"([a-z ]+?) ([0-9.]+) s(?:, |$)", logged[1])}
                  if logged else watch.phases)
        return Built(1000 * float(elapsed), memory.peak, phases,
                     re.findall(r"NOTICE:  (.*)", told))

    def run(self):
        self.ensure_loaded()
        exact = self.dataset.exact_neighbours(K)
        built, recalls = {}, {}
        for processes in self.options.processes:
            turns = self.in_turns(lambda side: self.create_index(side, processes))
            for side in self.sides:
                built[side, processes] = turns[side]
                side.sql("SELECT pg_prewarm('t'), pg_prewarm('t_v_idx')")
                for ef in self.options.ef:
                    recalls[side, processes, ef] = self.recall(side, ef, exact)
        self.report_builds(built)
        self.report_phases(built)
        self.report_size()
        self.report_estimate()
        self.report_recalls(recalls)
        self.report_search(self.search_points())

    def report_builds(self, built):
        rows, bars = [], []
        for processes in self.options.processes:
            ours, peer = (built[side, processes] for side in self.sides)
            ms = [statistics.median(turn.ms for turn in turns) for turns in (ours, peer)]
            bars.append((name_of(processes), *(value / 1000 for value in ms)))
            rows.append([name_of(processes), *(f"{value / 1000:.2f} s" for value in ms),
                         f"{ms[1] / ms[0]:.2f}",
                         *(f"{max(turn.peak for turn in turns) / 2 ** 20:,.0f} MB"
                           for turns in (ours, peer))])
        options = self.options
        notices = sorted({f"{side}: {notice}" for (side, _), turns in built.items()
                          for turn in turns for notice in turn.notices})
        self.report.table(
            "CREATE INDEX", ["", "ours", "peer", "times", "peak memory, ours", "peer"], rows,
            f"Median of {options.turns} turns, largest peak; m {options.m}, ef_construction "
            f"{options.ef_construction}; maintenance_work_mem {options.maintenance_work_mem}. "
            "Peak memory: private memory of the processes, and shared memory that they reserved. "
            + ("Told by the server: " + "; ".join(notices) + "." if notices else ""),
            charts.beside("seconds", "time of CREATE INDEX", bars))

    def report_phases(self, built):
        for side in self.sides:
            columns = []
            for processes in self.options.processes:
                turns = sorted(built[side, processes], key=lambda turn: turn.ms)
                columns.append(turns[(len(turns) - 1) // 2])
            names = list(dict.fromkeys(name for turn in columns for name in turn.phases))
            rows = [[name, *(f"{turn.phases.get(name, 0):.2f} s" for turn in columns)]
                    for name in names]
            rows.append(["whole statement", *(f"{turn.ms / 1000:.2f} s" for turn in columns)])
            self.report.table(
                f"Phases, {side}", ["phase", *map(name_of, self.options.processes)], rows,
                "Of the median turn; " + ("as the build logs them." if side is self.ours else
                                          "as seen in pg_stat_progress_create_index."),
                {"kind": "bars",
                 "x": {"title": "seconds of the phase", "scale": "linear", "unit": "seconds"},
                 "bars": [{"label": f"{name}, {name_of(processes)}", "series": i + 1,
                           "value": turn.phases.get(name, 0)}
                          for name in names
                          for i, (processes, turn) in enumerate(
                              zip(self.options.processes, columns))]})

    def report_estimate(self):
        rows = []
        for processes in self.options.processes:
            memory, time, size = self.ours.sql(
                "SELECT build_memory, build_time, total_bytes FROM hnsw_estimate("
                f"{self.dataset.rows}, {self.dataset.dims}, {self.options.m}, "
                f"{self.options.ef_construction})",
                max_parallel_maintenance_workers=processes - 1).split("|")
            rows.append([name_of(processes), f"{int(memory) / 2 ** 20:,.0f} MB", time,
                         f"{int(size):,}"])
        self.report.table("What hnsw_estimate told of ours",
                          ["", "build memory", "build time", "bytes"], rows,
                          "The memory that takes all rows as one batch.")

    def report_recalls(self, recalls):
        processes = self.options.processes
        head = [f"{side}, {name_of(n)}" for n in processes for side in self.sides]
        rows = [[str(ef), *(f"{recalls[side, n, ef]:.4f}" for n in processes
                            for side in self.sides)] for ef in self.options.ef]
        self.report.table(f"Recall@{K} by who built", ["ef_search", *head], rows,
                          f"Of {self.dataset.queries} held-out queries, on the last turn's index.")


def name_of(processes):
    return f"{processes} process" + ("es" if processes > 1 else "")


def main():
    options = parse_arguments()
    report = Report(os.path.join(HERE, "../build/bench/build.md"), options.json)
    report.progress("making the data")
    dataset = Dataset(options)
    sides = Side("ours", "vector_ext", options.limit), Side("peer", "vector", options.limit)
    for side in sides:
        side.prepare(dataset.dims, options.storage)
    describe(report, "CREATE INDEX", sides, dataset, options.storage)
    Builds(*sides, dataset, options, report).run()
    report.finish()


if __name__ == "__main__":
    main()
