#!/usr/bin/python3
"""Measures recall on a running server (started by bench/quality) for shapes of rows, the ways they came
in, and metrics: vector_ext beside pgvector, in one table for each ef_search."""

import argparse
import os
import queue
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dataset import HERE
from experiments import K
from report import Report, describe
from shapes import BASE, METRICS, OPERATORS, REPLACED, ROUNDS, SHAPES, Exact
from side import Side
from ways import A_BATCH, A_ROUND, N_ROUNDS, Ways

import zoo  # shapes.py knows where it is

# Names of ways, and what takes them. The second CREATE INDEX shows what the draw of layers does.
WAYS = {"CREATE INDEX": "create", "again": "create", "COPY": "copy", "1 client": "insert",
        "10 clients": "insert_by_ten", "upserts": "upsert"}
CHURN = {"churn": "churn", "churn, rebuilt": "fresh", "churn of inserts": "churn_of_inserts"}
FRESH = "churn, rebuilt"

LIMIT = 0.01  # what may be lost


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/quality", description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE",
                        help="those whose names have this in them; all by default: "
                        + ", ".join(map(name_of, SHAPES)))
    parser.add_argument("--alone", action="store_true", help="without pgvector")
    parser.add_argument("--quick", action="store_true", help="few rows: does it run at all?")
    parser.add_argument("--metrics", nargs="+", metavar="METRIC", default=list(OPERATORS),
                        help="some of " + ", ".join(OPERATORS))
    parser.add_argument("--rows", type=int, default=5000, help="of shapes that have few dimensions")
    parser.add_argument("--churn-rows", type=int, default=2000)
    parser.add_argument("--no-churn", action="store_true")
    parser.add_argument("--churn-all", action="store_true", help="churn for all dense shapes")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--ef", type=int, nargs="+", default=[10, 40])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="shapes at a time")
    parser.add_argument("--minutes", type=float, default=600,
                        help="begin with no further shape and metric after so many")
    parser.add_argument("--limit", type=int, default=1800, help="seconds any one step may take")
    parser.add_argument("--json", metavar="FILE", help="build/bench/quality.json by default")
    options = parser.parse_args()
    if unknown := set(options.metrics) - set(OPERATORS):
        parser.error(f"there is no metric {', '.join(unknown)}")
    if options.quick:
        options.rows, options.churn_rows, options.queries = 1000, 500, 200
    return options


def name_of(shape):
    return f"{shape.title}, {shape.form.name} {shape.dims}"


def rounded(n_rows, share=1.0):
    """A number of rows that ten clients and whole batches insert."""
    step = 10 * A_BATCH if n_rows >= 10 * A_BATCH else A_BATCH
    return max(int(n_rows * share) // step, 1) * step


class Cells:
    """One shape by one metric: for each side and way, and each ef_search, how many of the k nearest
    each query found."""

    def __init__(self, shape, metric):
        self.shape = shape
        self.metric = metric
        self.hits = {}  # (side, way, ef): array

    def recall(self, side, way, ef):
        hits = self.hits.get((side, way, ef))
        return None if hits is None else hits.mean() / K

    def error(self, hits):
        """The standard error of a recall, or of the difference of two."""
        return hits.std(ddof=1) / K / len(hits) ** 0.5

    def ways(self, side, ef):
        return [way for way in [*WAYS, *CHURN] if (side, way, ef) in self.hits]

    def best(self, way, ef):
        """The best of our own ways to the same rows."""
        same = CHURN if way in CHURN else WAYS
        return max((way for way in self.ways(0, ef) if way in same),
                   key=lambda way: self.recall(0, way, ef))

    def lower(self, way, ef):
        """By how much our recall is below our best, and below the peer's, with the standard errors."""
        ours = self.hits[0, way, ef]
        others = self.hits[0, self.best(way, ef), ef], self.hits.get((1, way, ef))
        return [(0.0, 0.0) if other is None else
                ((other - ours).mean() / K, self.error(other - ours)) for other in others]


class Worker:
    """Measures one shape after the other, in a database for each side of its own, so that no
    transaction of another keeps a vacuum from anything."""

    def __init__(self, number, options, folder):
        self.options = options
        self.folder = folder
        self.number = number
        self.sides = [Side(f"ours_{number}", "vector_ext", options.limit)]
        if not options.alone:
            self.sides.append(Side(f"peer_{number}", "vector", options.limit))
        for side in self.sides:
            side.create()

    def file(self, name, form, ids, vectors, columns=()):
        path = os.path.join(self.folder, f"{name}-{self.number}")
        with open(path, "wb") as file:
            file.write(zoo.copy_binary(ids, vectors, columns, form))
        return path

    def moves(self, shape, n_rows, n_rounds):
        """Who moves in which round, and the vectors: arrays of rows of the table moves, and the vectors
        of all rows in the end."""
        rng = np.random.default_rng(self.options.seed)
        all_ids = np.arange(1, n_rows + 1)
        replaced = all_ids[::4]
        parts = [(0, replaced, shape.rows(self.options.seed, replaced, REPLACED))]
        last = shape.rows(self.options.seed, all_ids, BASE)
        for i in range(1, n_rounds + 1):
            ids = np.sort(rng.choice(all_ids, n_rows // A_ROUND, replace=False))
            vectors = shape.rows(self.options.seed, ids, ROUNDS + i)
            last[ids - 1] = vectors
            parts.append((i, ids, vectors))
        rounds = np.concatenate([np.full(len(ids), i) for i, ids, _ in parts])
        places = np.concatenate([np.arange(1, len(ids) + 1) for _, ids, _ in parts])
        return (np.concatenate([ids for _, ids, _ in parts]), rounds, places,
                np.concatenate([vectors for _, _, vectors in parts])), last

    def run(self, cells, n_rows, names, n_rounds=0):
        """Takes the ways `names` for rows that `n_rounds` change."""
        shape, metric, seed = cells.shape, cells.metric, self.options.seed
        ids = np.arange(1, n_rows + 1)
        base = shape.rows(seed, ids, BASE)
        queries = shape.queries(seed, n_rows, self.options.queries)
        (moved, rounds, places, vectors), last = self.moves(shape, n_rows, n_rounds)
        files = {"p": self.file("p", shape.form, ids, base),
                 "q": self.file("q", shape.form, np.arange(len(queries)), queries),
                 "moves": self.file("moves", shape.form, moved, vectors, (rounds, places))}
        exact = Exact(metric, last if n_rounds else base, queries, K)
        for number, side in enumerate(self.sides):
            ways = Ways(side, shape.form, shape.form.opclass(metric), n_rows)
            ways.load(files)
            for name, method in names.items():
                getattr(ways, method)()
                for ef in self.options.ef:
                    cells.hits[number, name, ef] = exact.hits(self.found(side, metric, ef))

    def found(self, side, metric, ef):
        """Pairs of (query, id of a row) that searches give, by the index alone."""
        search = (f"SELECT q.id, n.id FROM q, LATERAL (SELECT id FROM t "
                  f"ORDER BY v {OPERATORS[metric]} q.v LIMIT {K}) n")
        settings = {"hnsw.ef_search": ef, "hnsw.iterative_scan": "off", "enable_seqscan": "off",
                    "enable_sort": "off"}
        plan = side.sql(f"EXPLAIN (COSTS off) {search}", **settings)
        if "Index Scan using t_v on t" not in plan:
            sys.exit(f"{side}: the index does not serve:\n{plan}")
        rows = side.sql(f"COPY ({search}) TO STDOUT", **settings)
        return np.array(rows.split(), dtype=np.int64).reshape(-1, 2)


class Matrix:
    def __init__(self, options, report):
        self.options = options
        self.report = report
        shapes = [shape for shape in SHAPES if not options.shapes
                  or any(part in name_of(shape) for part in options.shapes)]
        self.cells = [Cells(shape, metric) for shape in shapes for metric in shape.metrics
                      if metric in options.metrics]
        if not self.cells:
            sys.exit("no such shape and metric")

    def measure(self, workers):
        """All cells, each by the next worker that is free; churn first, which takes long."""
        free, lock = queue.Queue(), threading.Lock()
        for worker in workers:
            free.put(worker)

        end = time.monotonic() + 60 * self.options.minutes

        def work(cells, churns):
            if time.monotonic() > end:
                return
            worker = free.get()
            try:
                if churns:
                    worker.run(cells, rounded(self.options.churn_rows), CHURN, N_ROUNDS)
                else:
                    worker.run(cells, rounded(self.options.rows, cells.shape.share), WAYS)
            finally:
                free.put(worker)
            with lock:  # a run that is ended leaves what it has measured
                self.report.result["cells"] = self.figures()
                self.report.save()
            self.progress(cells, CHURN if churns else WAYS)

        jobs = [(cells, True) for cells in self.cells if self.churns(cells)]
        jobs += [(cells, False) for cells in self.cells]
        with ThreadPoolExecutor(len(workers)) as pool:
            try:
                for done in [pool.submit(work, *job) for job in jobs]:
                    done.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        n_planned = len(self.cells)
        self.cells = [cells for cells in self.cells if cells.hits]
        if time.monotonic() > end:
            self.report.progress(f"time is up: {len(self.cells)} of {n_planned} have figures")

    def churns(self, cells):
        dense = cells.shape.form.name == "vector" and cells.shape.dims <= 100
        return not self.options.no_churn and (
            cells.metric in cells.shape.churn or (self.options.churn_all and dense))

    def progress(self, cells, names):
        ef = self.options.ef[-1]
        self.report.progress(f"{name_of(cells.shape)}, {METRICS[cells.metric]}, ef_search {ef}: "
                             + ", ".join(f"{name} {self.both(cells, name, ef)}" for name in names))

    # --- what is shown ---

    @staticmethod
    def both(cells, way, ef):
        """Recall of both sides, `<` where ours is below our best, `!` where it is below the peer's."""
        shown = " / ".join(f"{recall:.3f}" for recall in (cells.recall(side, way, ef)
                                                          for side in (0, 1)) if recall is not None)
        if not shown:
            return ""
        below = cells.lower(way, ef)
        marks = "".join(mark for mark, (amount, _) in zip("<!", below) if amount > LIMIT)
        return f"{shown} {marks}".rstrip()

    def table(self, ef):
        names = [way for way in [*WAYS, *CHURN] if any((0, way, ef) in cells.hits
                                                       for cells in self.cells)]
        rows = [[name_of(cells.shape), METRICS[cells.metric],
                 *(self.both(cells, way, ef) for way in names)] for cells in self.cells]
        self.report.table(
            f"Recall@{K} at ef_search {ef}, ours / peer" if not self.options.alone
            else f"Recall@{K} at ef_search {ef}",
            ["shape", "metric", *names], rows,
            f"{self.options.queries} queries; `<` more than {LIMIT} below the best of our own ways, `!` "
            f"more than {LIMIT} below the peer. m 16, ef_construction 64, iterative scans off. "
            + self.noise(ef), self.chart(ef))

    def noise(self, ef):
        """What of the figures is chance: the queries that were drawn, and the layers of nodes."""
        errors = [cells.error(hits) for cells in self.cells
                  for (_, _, of_ef), hits in cells.hits.items() if of_ef == ef]
        text = (f"Standard error of a recall by the queries drawn: median "
                f"{statistics.median(errors):.4f}, at most {max(errors):.4f}.")
        for side, name in enumerate(["ours", "peer"][:2 - self.options.alone]):
            apart = [abs(cells.recall(side, "CREATE INDEX", ef) - cells.recall(side, "again", ef))
                     for cells in self.cells if "again" in cells.ways(side, ef)]
            if apart:
                text += (f" Two builds of the same rows, {name}: {statistics.median(apart):.4f} apart "
                         f"in the median, {max(apart):.4f} at most.")
        return text

    def chart(self, ef):
        """A row of dots for each shape and metric."""
        rows = []
        for cells in self.cells:
            points = [{"x": cells.recall(side, way, ef), "series": side + 1,
                       "title": f"{('ours', 'peer')[side]}, {way}",
                       "facts": [["recall", f"{cells.recall(side, way, ef):.4f}"],
                                 ["standard error", f"{cells.error(cells.hits[side, way, ef]):.4f}"]]}
                      for side in (1, 0) for way in cells.ways(side, ef)]
            rows.append({"label": f"{name_of(cells.shape)}, {METRICS[cells.metric]}",
                         "points": points})
        return {"kind": "dots", "rows": rows, "names": ["ours", "peer"][:2 - self.options.alone],
                "x": {"title": f"recall@{K}, a dot for each way", "scale": "nines", "unit": "share"},
                "least_miss": 0.5 / (self.options.queries * K)}

    def summary(self):
        """The cells that are lower, and a line that counts them."""
        rows, counts = [], []
        for ef in self.options.ef:
            n_cells, low = 0, [0, 0]
            certain = [0, 0]
            for cells in self.cells:
                for way in cells.ways(0, ef):
                    below = cells.lower(way, ef)
                    n_cells += 1
                    for i, (amount, error) in enumerate(below):
                        low[i] += amount > LIMIT
                        certain[i] += amount > LIMIT + 2 * error
                    if max(amount for amount, _ in below) > LIMIT:
                        rows.append(self.low_row(cells, way, ef, below))
            counts.append(f"ef_search {ef}: of {n_cells} cells {low[0]} are more than {LIMIT} below the "
                          f"best of our own ways ({certain[0]} by more than chance of the queries)"
                          + ("" if self.options.alone else f", {low[1]} below the peer "
                             f"({certain[1]} by more than chance)"))
        if rows:
            self.report.table(
                f"Cells that are more than {LIMIT} lower",
                ["shape", "metric", "way", "ef_search", "ours", "our best", "lower by", "peer",
                 "lower by"], rows,
                "± is the standard error of a difference by the queries drawn, which both have in "
                "common; the best of several ways is a little high by chance alone.")
        self.report.text("Summary", "\n".join(counts) + "\n")

    @staticmethod
    def low_row(cells, way, ef, below):
        best, peer = cells.best(way, ef), cells.recall(1, way, ef)
        return [name_of(cells.shape), METRICS[cells.metric], way, str(ef),
                f"{cells.recall(0, way, ef):.3f}", f"{cells.recall(0, best, ef):.3f} ({best})",
                f"{below[0][0]:.3f} ± {below[0][1]:.3f}",
                *(["", ""] if peer is None else
                  [f"{peer:.3f}", f"{below[1][0]:.3f} ± {below[1][1]:.3f}"])]

    def figures(self):
        """All cells, for the JSON file."""
        return [{"shape": name_of(cells.shape), "metric": cells.metric,
                 "side": ("ours", "peer")[side], "way": way, "ef_search": ef,
                 "recall": round(hits.mean() / K, 5), "error": round(cells.error(hits), 5)}
                for cells in self.cells for (side, way, ef), hits in list(cells.hits.items())]


def main():
    options = parse_arguments()
    report = Report(os.path.join(HERE, "../build/bench/quality.md"), options.json)
    matrix = Matrix(options, report)
    with tempfile.TemporaryDirectory(dir=os.path.join(HERE, "../build/bench")) as folder:
        workers = [Worker(i, options, folder) for i in range(options.workers)]
        data = argparse.Namespace(rows=rounded(options.rows), dims="2 to 2000",
                                  description=f"the zoo of bench/shapes.py, seed {options.seed}")
        describe(report, "Recall by shape, way in and metric", workers[0].sides, data,
                 "that of each type")
        matrix.measure(workers)
    for ef in options.ef:
        matrix.table(ef)
    matrix.summary()
    report.finish()


if __name__ == "__main__":
    main()
