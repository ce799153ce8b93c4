#!/usr/bin/python3
"""Measures vector_ext beside pgvector on a running server (started by bench/peer)."""

import argparse
import os

from dataset import HERE, Dataset
from experiments import Experiments
from report import Report, describe
from side import Side

EXPERIMENTS = {"load": "load_times", "exact": "exact", "build": "build_times", "search": "search",
               "insert": "insert", "vacuum": "vacuum"}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/peer", description=__doc__)
    parser.add_argument("experiments", choices=[*EXPERIMENTS, "all"], nargs="+",
                        metavar="|".join([*EXPERIMENTS, "all"]))
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run at all?")
    parser.add_argument("--rows", type=int, help="100,000 for exact and load, else 200,000")
    parser.add_argument("--dims", type=int, default=768, help="of generated vectors")
    parser.add_argument("--queries", type=int, default=500, help="held-out queries")
    parser.add_argument("--spare", type=int, default=12_500, help="rows kept for insert")
    parser.add_argument("--seed", type=int, default=1, help="of generated vectors")
    parser.add_argument("--data", default=os.environ.get("VECTOR_EXT_DATA"),
                        help="real data from this folder; VECTOR_EXT_DATA by default")
    parser.add_argument("--storage", default="plain", help="of the vectors, on both sides")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--build-turns", type=int, default=3)
    parser.add_argument("--vacuum-turns", type=int, default=3)
    parser.add_argument("--exact-queries", type=int, default=11, help="in a turn of exact")
    parser.add_argument("--seconds", type=int, default=3, help="of a turn of search")
    parser.add_argument("--inserts", type=int, default=2000, help="rows of a turn of insert")
    parser.add_argument("--ef", type=int, nargs="+", default=[10, 20, 40, 80, 160, 320, 640])
    parser.add_argument("--maintenance-work-mem", default="2GB")
    parser.add_argument("--limit", type=int, default=1800, help="seconds any one step may take")
    parser.add_argument("--json", metavar="FILE",
                        help="where the numbers go, and FILE's .html; build/bench/peer.json by default")
    options = parser.parse_args()
    if "all" in options.experiments:
        options.experiments = list(EXPERIMENTS)
    if options.rows is None:
        options.rows = 100_000 if set(options.experiments) <= {"exact", "load"} else 200_000
    if options.quick:
        options.rows, options.dims, options.queries, options.spare = 3000, 96, 100, 600
        options.turns = options.build_turns = options.vacuum_turns = 1
        options.exact_queries, options.seconds, options.inserts = 3, 1, 100
        options.ef = [10, 40, 160]
    if max(options.turns, options.build_turns) < 1 or not 1 <= options.vacuum_turns <= 20:
        parser.error("at least one turn, and at most 20 of vacuum")
    return options


def main():
    options = parse_arguments()
    report = Report(os.path.join(HERE, "../build/bench/peer.md"), options.json)
    report.progress("making the data")
    dataset = Dataset(options)
    sides = Side("ours", "vector_ext", options.limit), Side("peer", "vector", options.limit)
    for side in sides:
        side.prepare(dataset.dims, options.storage)
    describe(report, ", ".join(options.experiments), sides, dataset, options.storage)
    experiments = Experiments(*sides, dataset, options, report)
    for name in options.experiments:
        getattr(experiments, EXPERIMENTS[name])()
    report.finish()


if __name__ == "__main__":
    main()
