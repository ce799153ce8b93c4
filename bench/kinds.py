#!/usr/bin/python3
"""Measures vector, halfvec, bit and sparsevec beside pgvector on a running server (started by
bench/kinds), in one table."""

import argparse
import os
import statistics
import subprocess
import sys

from dataset import HERE, Dataset
from experiments import K, interpolate
from report import Report, describe
from side import Side

# For each name: the type, its operator, its class; what is measured of it has goals in README.md.
KINDS = {
    "vector": ("vector", "<->", "vector_l2_ops"),
    "halfvec": ("halfvec", "<->", "halfvec_l2_ops"),
    "bit": ("bit", "<~>", "bit_hamming_ops"),
    "sparsevec": ("sparsevec", "<#>", "sparsevec_ip_ops"),
}

SPARSE_DIMS = 30522


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/kinds", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="|".join(KINDS), help="all by default")
    parser.add_argument("--alone", action="store_true", help="without pgvector")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run at all?")
    parser.add_argument("--rows", type=int, default=100_000, help="of vector, halfvec and bit")
    parser.add_argument("--dims", type=int, default=768, help="of them")
    parser.add_argument("--sparse-rows", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=200, help="held-out queries")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default=os.environ.get("VECTOR_EXT_DATA"),
                        help="real vectors from this folder; VECTOR_EXT_DATA by default")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--build-turns", type=int, default=1)
    parser.add_argument("--exact-queries", type=int, default=10, help="in a turn")
    parser.add_argument("--ef", type=int, nargs="+", default=[40, 100, 200, 400, 800])
    parser.add_argument("--maintenance-work-mem", default="2GB")
    parser.add_argument("--limit", type=int, default=3600, help="seconds any one step may take")
    parser.add_argument("--json", metavar="FILE", help="build/bench/kinds.json by default")
    options = parser.parse_args()
    options.kinds = options.kinds or list(KINDS)
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"there is no {', '.join(unknown)}")
    if options.quick:
        options.rows, options.dims, options.sparse_rows, options.queries = 2000, 96, 1000, 40
        options.turns, options.exact_queries, options.ef = 1, 3, [10, 40, 100]
    options.spare = 1
    return options


class Types:
    def __init__(self, sides, dataset, options, report):
        self.sides = sides
        self.dataset = dataset
        self.options = options
        self.report = report

    # --- tables: `t_KIND` and `t_KIND_q` of (id, v), and what the nearest are ---

    def sparse_file(self, kind, n, seed):
        path = os.path.join(HERE, f"../build/bench/sparse-{kind}-{n}-seed{seed}.copy")
        if not os.path.exists(path):
            self.report.progress(f"making {n} sparse {kind}")
            with open(path + ".part", "w", encoding="ascii") as file:
                subprocess.run([sys.executable, os.path.join(HERE, "sparse_rows.py"), str(n),
                                str(seed), kind], stdout=file, check=True,
                               timeout=self.options.limit)
            os.replace(path + ".part", path)
        return path

    def load(self, side, kind):
        """Both tables of a kind. Bits are the signs of the vectors, measured from their mean."""
        n_dims = SPARSE_DIMS if kind == "sparsevec" else self.dataset.dims
        for table in (f"t_{kind}", f"t_{kind}_q"):
            side.sql(f"CREATE TABLE {table} (id bigint, v {KINDS[kind][0]}({n_dims}));"
                     f"ALTER TABLE {table} ALTER v SET STORAGE plain")
        if kind == "sparsevec":
            for table, rows in ((f"t_{kind}", ("rows", self.options.sparse_rows, self.options.seed)),
                                (f"t_{kind}_q", ("queries", self.options.queries,
                                               self.options.seed + 1))):
                side.sql(f"\\copy {table} FROM '{self.sparse_file(*rows)}'")
        elif kind == "vector":
            for table, name in ((f"t_{kind}", "base"), (f"t_{kind}_q", "queries")):
                side.sql(f"COPY {table} FROM '{self.dataset.path(name)}' (FORMAT binary)")
        else:
            value = {"halfvec": f"v::halfvec({n_dims})",
                     "bit": f"binary_quantize(v - m)::bit({n_dims})"}[kind]
            for suffix in ("", "_q"):
                side.sql(f"INSERT INTO t_{kind}{suffix} SELECT id, {value} FROM "
                         f"t_vector{suffix}, "
                         "(SELECT avg(v) AS m FROM t_vector) m")
        side.sql(f"VACUUM (ANALYZE, FREEZE) t_{kind}; VACUUM ANALYZE t_{kind}_q;"
                 f"SELECT pg_prewarm('t_{kind}')")

    def make_edges(self, side, kind):
        """How far the k-th nearest of each query is, by exact search: as near as that is right, since
        of bits many are equally far."""
        operator = KINDS[kind][1]
        side.sql(f"CREATE TABLE t_{kind}_edge AS SELECT q.id, max(n.d) AS d FROM t_{kind}_q q, LATERAL "
                 f"(SELECT v {operator} q.v AS d FROM t_{kind} ORDER BY v {operator} q.v LIMIT {K}) n "
                 "GROUP BY q.id")

    # --- what is measured ---

    def searches(self, kind, n_queries):
        operator = KINDS[kind][1]
        return (f"SELECT count(*) FROM (SELECT * FROM t_{kind}_q ORDER BY id LIMIT {n_queries}) q, "
                f"LATERAL (SELECT id FROM t_{kind} ORDER BY v {operator} q.v LIMIT {K}) n")

    def cost(self, side, kind, n_queries, **settings):
        """CPU milliseconds of a query."""
        search = self.searches(kind, n_queries) + " \\g /dev/null\n"
        return side.costs(search, search, **settings)[0][1] / n_queries

    def medians(self, measure):
        """The median of the turns for each side, which take turns."""
        results = {side: [] for side in self.sides}
        for _ in range(self.options.turns):
            for side in self.sides:
                results[side].append(measure(side))
        return [statistics.median(values) for values in results.values()]

    def build(self, side, kind):
        """CPU milliseconds of CREATE INDEX by one process."""
        times = []
        for _ in range(self.options.build_turns):
            times.append(side.costs(
                f"DROP INDEX IF EXISTS t_{kind}_v_idx",
                f"CREATE INDEX t_{kind}_v_idx ON t_{kind} USING hnsw (v {KINDS[kind][2]})",
                maintenance_work_mem=self.options.maintenance_work_mem)[0][1])
            self.report.progress(f"{kind}: {side} built in {times[-1] / 1000:.1f} s")
        return statistics.median(times)

    def recall(self, side, kind, ef):
        operator = KINDS[kind][1]
        hits = side.sql(
            f"SELECT count(*) FROM t_{kind}_q q JOIN t_{kind}_edge e USING (id), LATERAL (SELECT "
            f"v {operator} q.v AS d FROM t_{kind} ORDER BY v {operator} q.v LIMIT {K}) n "
            "WHERE n.d <= e.d + 1e-6 * abs(e.d)", **{"hnsw.ef_search": ef, "enable_seqscan": "off"})
        return int(hits) / (K * self.options.queries)

    def points(self, kind):
        """For each side (recall, CPU ms of a query) for each ef_search."""
        points = [[] for _ in self.sides]
        for ef in self.options.ef:
            costs = self.medians(lambda side: self.cost(
                side, kind, self.options.queries,
                **{"hnsw.ef_search": ef, "enable_seqscan": "off"}))
            for side, found, cost in zip(self.sides, points, costs):
                found.append((self.recall(side, kind, ef), cost))
            self.report.progress(f"{kind}: ef_search {ef}: {[found[-1] for found in points]}")
        return points

    def row(self, kind):
        for side in self.sides:
            self.load(side, kind)
        exact = self.medians(lambda side: self.cost(side, kind, self.options.exact_queries))
        for side in self.sides:
            self.make_edges(side, kind)
        builds = [self.build(side, kind) for side in self.sides]
        sizes = [int(side.sql(f"SELECT pg_relation_size('t_{kind}_v_idx')")) for side in self.sides]
        for side in self.sides:
            side.sql(f"SELECT pg_prewarm('t_{kind}_v_idx')")
        points = self.points(kind)
        row = [kind, *times([f"{ms:.1f}" for ms in exact], exact),
               *times([f"{ms / 1000:.1f}" for ms in builds], builds),
               " / ".join(f"{size / 2 ** 20:.0f}" for size in sizes),
               f"{sizes[0] / sizes[-1]:.2f}" if len(sizes) > 1 else "",
               "; ".join(" / ".join(f"{found[i][0]:.3f}" for found in points)
                         for i in range(len(self.options.ef)))]
        lowest = max(found[0][0] for found in points)
        for recall in (0.95, 0.99):
            at = [interpolate(found, max(recall, lowest)) for found in points]
            row += times([f"{ms:.2f}" if ms else "not reached" for ms in at], at)
            if recall < lowest:
                row[-2] += f" at {lowest:.3f}"
        return row

    def run(self):
        """The table; a row that is done is kept if the next one fails."""
        needs_vectors = set(self.options.kinds) & {"halfvec", "bit"}
        if needs_vectors and "vector" not in self.options.kinds:
            for side in self.sides:
                self.load(side, "vector")
        rows = []
        for kind in self.options.kinds:
            rows.append(self.row(kind))
            self.report.progress(" | ".join(rows[-1]))
        efs = ", ".join(map(str, self.options.ef))
        self.report.table(
            "Each type, ours / peer",
            ["type", f"exact search of the {K} nearest, ms", "times", "CREATE INDEX, s", "times",
             "index, MB", "ours / peer", f"recall@{K} at ef_search {efs}",
             "search at recall 0.95, ms", "times", "at 0.99, ms", "times"], rows,
            f"{self.dataset.rows:,} x {self.dataset.dims} of vector, halfvec (L2) and bit "
            f"(Hamming), {self.options.sparse_rows:,} rows of bench/sparse_rows.py of sparsevec "
            f"(inner product); {self.options.queries} queries. All times are CPU time of the "
            f"backend, medians of {self.options.turns} turns of searches and "
            f"{self.options.build_turns} of builds by one process; m 16, ef_construction 64. "
            "Search at a recall is interpolated between neighbouring ef_search; where the smallest "
            "one finds more already, at what that finds. Goals, times: exact search 1.5 (halfvec, "
            "bit), 1.2 (sparsevec); CREATE INDEX 8, 4, 2; search 6, 3, 2.")


def times(shown, numbers):
    """Both numbers as text, and how many times smaller ours is."""
    if len(numbers) < 2:
        return [shown[0], ""]
    ratio = f"{numbers[1] / numbers[0]:.2f}" if all(numbers) else ""
    return [" / ".join(shown), ratio]


def main():
    options = parse_arguments()
    report = Report(os.path.join(HERE, "../build/bench/kinds.md"), options.json)
    report.progress("making the data")
    dataset = Dataset(options)
    sides = [Side("ours", "vector_ext", options.limit)]
    if not options.alone:
        sides.append(Side("peer", "vector", options.limit))
    for side in sides:
        side.prepare(dataset.dims, "plain")
    describe(report, "each type", sides, dataset, "plain")
    Types(sides, dataset, options, report).run()
    report.finish()


if __name__ == "__main__":
    main()
