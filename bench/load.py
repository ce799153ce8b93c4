#!/usr/bin/python3
"""Measures loading into indexed tables, vector_ext beside pgvector, on a running server (started by
bench/load)."""

import argparse
import os

from dataset import HERE, Dataset
from loads import Loads
from report import Report, describe
from side import Side

EXPERIMENTS = {"copy": "copy_into_index", "update": "update", "ladder": "ladder",
               "upsert": "upsert", "flow": "flow"}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/load", description=__doc__)
    parser.add_argument("experiments", nargs="*", metavar="|".join(EXPERIMENTS),
                        help="all of them by default")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run at all?")
    parser.add_argument("--held", type=int, default=100_000, help="rows that the index holds")
    parser.add_argument("--loaded", type=int, default=100_000, help="rows that come")
    parser.add_argument("--dims", type=int, default=768, help="of generated vectors")
    parser.add_argument("--peer-rows", type=int,
                        help="load no more than these into the peer, which is slow; all by default")
    parser.add_argument("--updates", type=int, default=10_000, help="rows of update")
    parser.add_argument("--ladder", type=int, nargs="+",
                        default=[1, 10, 100, 1000, 10_000, 100_000], help="rows of its rungs")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the table of flow")
    parser.add_argument("--flow-dims", type=int, default=128, help="of its vectors")
    parser.add_argument("--queries", type=int, default=500, help="held-out queries, for recall")
    parser.add_argument("--ef", type=int, default=40, help="ef_search for recall")
    parser.add_argument("--seed", type=int, default=1, help="of generated vectors")
    parser.add_argument("--data", default=os.environ.get("VECTOR_EXT_DATA"),
                        help="real data from this folder; VECTOR_EXT_DATA by default")
    parser.add_argument("--storage", default="plain", help="of the vectors, on both sides")
    parser.add_argument("--insert-batch", default="64MB", help="vector_ext.insert_batch of ours")
    parser.add_argument("--maintenance-work-mem", default="2GB")
    parser.add_argument("--turns", type=int, help="3; with --quick 1")
    parser.add_argument("--limit", type=int, default=3600, help="seconds any one step may take")
    parser.add_argument("--json", metavar="FILE",
                        help="where the numbers go, and FILE's .html; build/bench/load.json by default")
    options = parser.parse_args()
    unknown = set(options.experiments) - set(EXPERIMENTS)
    if unknown:
        parser.error(f"no such experiment: {', '.join(sorted(unknown))}")
    options.experiments = options.experiments or list(EXPERIMENTS)
    if options.quick:
        options.held, options.loaded, options.dims, options.queries = 3000, 3000, 128, 100
        options.updates, options.ladder = 500, [1, 10, 100, 1000]
        options.rows, options.flow_dims = 10_000, 64
    if options.turns is None:
        options.turns = 1 if options.quick else 3
    if options.turns < 1 or min(options.ladder) < 1:
        parser.error("at least one turn, and rungs of at least one row")
    options.spare = 0
    return options


def make_dataset(options, **different):
    return Dataset(argparse.Namespace(**{**vars(options), **different}))


def main():
    options = parse_arguments()
    report = Report(os.path.join(HERE, "../build/bench/load.md"), options.json)
    report.progress("making the data")
    dataset = make_dataset(options, rows=options.held + options.loaded)
    options.loaded = min(options.loaded, dataset.rows // 2)  # real data may be fewer
    options.held = dataset.rows - options.loaded
    options.updates = min(options.updates, options.held)
    options.ladder = sorted({min(rung, options.loaded) for rung in options.ladder})
    options.peer_rows = min(options.peer_rows or options.loaded, options.loaded)
    staged = options.loaded if options.quick else 100_000
    sides = Side("ours", "vector_ext", options.limit), Side("peer", "vector", options.limit)
    for side in sides:
        side.prepare(dataset.dims, options.storage)
    describe(report, "Loading", sides, dataset, options.storage)
    loads = Loads(*sides, dataset, options, report)
    for name in options.experiments:
        if name == "flow":
            loads.flow(make_dataset(options, rows=options.rows + staged, dims=options.flow_dims,
                                    data=None), staged)
        else:
            getattr(loads, EXPERIMENTS[name])()
    report.finish()


if __name__ == "__main__":
    main()
