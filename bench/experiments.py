"""What is measured of two sides. Every experiment takes turns, ours, theirs, ours, ..., and reports
medians; `times` in a table says how many times better ours is."""

import math
import os
import statistics
import time

import charts
import numpy as np

from side import MemoryWatch

K = 10


class Experiments:
    def __init__(self, ours, peer, dataset, options, report):
        self.ours = ours
        self.peer = peer
        self.sides = (ours, peer)
        self.dataset = dataset
        self.options = options
        self.report = report
        self.cores = os.cpu_count()

    # --- states of the tables ---

    def copy(self, side, table, path, form="binary"):
        """Loads a file into the emptied table; what the COPY cost."""
        return side.costs(f"TRUNCATE {table}", f"COPY {table} FROM '{path}' (FORMAT {form})")[0]

    def load(self, side):
        for table, name in (("t", "base"), ("q", "queries"), ("spare", "spare")):
            self.copy(side, table, self.dataset.path(name))
            side.sql(f"VACUUM (ANALYZE, FREEZE) {table}; SELECT pg_prewarm('{table}')")

    def ensure_loaded(self):
        for side in self.sides:
            n_rows = side.sql(f"SELECT count(*) FROM t WHERE id <= {self.dataset.rows}")
            if int(n_rows) != self.dataset.rows:
                self.report.progress(f"loading {side}")
                self.load(side)

    def build(self, side, processes):
        """Milliseconds of CREATE INDEX, and its peak memory."""
        with MemoryWatch() as memory:
            ms, _ = side.costs("DROP INDEX IF EXISTS t_v_idx",
                               "CREATE INDEX t_v_idx ON t USING hnsw (v vector_l2_ops)",
                               max_parallel_maintenance_workers=processes - 1,
                               maintenance_work_mem=self.options.maintenance_work_mem)[0]
        return ms, memory.peak

    def ensure_index(self):
        for side in self.sides:
            if side.sql("SELECT to_regclass('t_v_idx') IS NULL") == "t":
                self.report.progress(f"building the index of {side}")
                self.build(side, self.cores)
            side.sql("SELECT pg_prewarm('t'), pg_prewarm('t_v_idx')")

    def in_turns(self, measure, turns=None, sides=None):
        """{side: [result of each turn]}"""
        results = {side: [] for side in sides or self.sides}
        for turn in range(turns or self.options.turns):
            for side in results:
                results[side].append(measure(side))
                self.report.progress(f"turn {turn + 1}, {side}: {results[side][-1]}")
        return results

    def in_turns_medians(self, measure, turns=None):
        """For ours and for the peer: the median of each of the numbers that `measure` returns."""
        return [[statistics.median(column) for column in zip(*values)]
                for values in self.in_turns(measure, turns).values()]

    # --- exact search ---

    def exact(self):
        self.ensure_loaded()
        n_bytes = self.dataset.rows * self.dataset.dims * 4
        for side in self.sides:
            side.sql("DROP INDEX IF EXISTS t_v_idx; SELECT pg_prewarm('t')")
        rows, bars = [], []
        copies = []

        def measure(side, workers, query):
            copies.append(copy_rate(n_bytes))
            return self.exact_cost(side, workers, query)

        variants = [("parameter, 1 process", 0, "parameter"),
                    ("from a table, 1 process", 0, "table"),
                    ("from a table that keeps it out of line, 1 process", 0, "toasted"),
                    (f"parameter, {self.cores} processes", self.cores - 1, "parameter")]
        for name, workers, query in variants:
            (ours, ours_cpu), (peer, peer_cpu) = self.in_turns_medians(
                lambda side: measure(side, workers, query))
            rate = n_bytes / ours / 1e6
            bars.append((name, ours / 1000, peer / 1000))
            rows.append([name, f"{ours:.2f} ms", f"{peer:.2f} ms", f"{peer / ours:.2f}",
                         f"{peer_cpu / ours_cpu:.2f}" if workers == 0 else "",
                         f"{rate:.2f} GB/s", f"{n_bytes / peer / 1e6:.2f} GB/s"])
        copied = statistics.median(copies)
        first_rate = float(rows[0][5].split()[0])
        self.report.table(
            f"Exact search: `ORDER BY v <-> $1 LIMIT {K}` by sequential scan",
            ["query vector", "ours", "peer", "times", "by CPU time", "vector bytes, ours", "peer"],
            rows,
            f"Median of {self.options.turns} turns, each the median of "
            f"{self.options.exact_queries} queries. Goal: 1.2 times in the first row, or 90 % of "
            f"a copy loop, which copied {copied:.2f} GB/s here: ours reads "
            f"{100 * first_rate / copied:.0f} % of that.",
            charts.beside("seconds", "time of a query", bars))

    def exact_cost(self, side, workers, query):
        text = side.sql("SELECT v FROM q WHERE id = 1")
        vector = "$1" if query == "parameter" else "(SELECT v FROM one)"
        storage = "external" if query == "toasted" else "plain"
        search = f"EXECUTE nearest('{text}') \\g /dev/null\n"
        costs = side.costs(
            f"CREATE TEMP TABLE one (v vector({self.dataset.dims}));\n"
            f"ALTER TABLE one ALTER COLUMN v SET STORAGE {storage};\n"
            f"INSERT INTO one VALUES ('{text}');\n"
            f"PREPARE nearest(vector) AS SELECT id FROM t ORDER BY v <-> {vector} LIMIT {K};\n"
            + search, search * self.options.exact_queries,
            max_parallel_workers_per_gather=workers, parallel_setup_cost=0)
        return [statistics.median(column) for column in zip(*costs)]

    # --- loading ---

    def load_times(self):
        binary = self.dataset.path("base")
        text = self.dataset.path("base.text")
        self.ensure_loaded()
        for side in self.sides:
            side.sql("DROP INDEX IF EXISTS t_v_idx")
        if not os.path.exists(text):
            self.ours.sql(f"\\copy t TO '{text}'")
        rows, bars = [], []
        for form, path, goal in (("binary", binary, "0.95"), ("text", text, "2")):
            (ours, ours_cpu), (peer, peer_cpu) = self.in_turns_medians(
                lambda side: self.copy(side, "t", path, form))
            bars.append((form, ours / 1000, peer / 1000))
            rows.append([f"COPY, {form}", f"{ours / 1000:.2f} s", f"{peer / 1000:.2f} s",
                         f"{peer / ours:.2f}", f"{peer_cpu / ours_cpu:.2f}", goal,
                         f"{self.dataset.rows / ours * 1000:,.0f} rows/s"])
        for side in self.sides:
            side.sql("TRUNCATE t")  # what comes next loads, vacuums and warms it
        self.report.table("Loading without an index",
                          ["load", "ours", "peer", "times", "by CPU time", "goal", "ours"], rows,
                          f"Median of {self.options.turns} turns; COPY from a file the server "
                          "reads, into an emptied table without any index.",
                          charts.beside("seconds", "time of COPY", bars))

    # --- search by the index ---

    def search(self):
        self.ensure_loaded()
        self.ensure_index()
        self.report_search(self.search_points())

    def search_points(self):
        """{side: [(recall, ms of one client, queries a second of many) for each ef_search]}"""
        exact = self.dataset.exact_neighbours(K)
        points = {side: [] for side in self.sides}
        for ef in self.options.ef:
            recalls = {side: self.recall(side, ef, exact) for side in self.sides}
            one = self.in_turns(lambda side: self.pgbench_search(side, ef, 1))
            many = self.in_turns(lambda side: self.pgbench_search(side, ef, self.cores))
            for side in self.sides:
                points[side].append((recalls[side],
                                     statistics.median(latency for latency, _ in one[side]),
                                     statistics.median(rate for _, rate in many[side])))
        return points

    def report_search(self, points):
        rows = []
        for i, ef in enumerate(self.options.ef):
            ours, peer = points[self.ours][i], points[self.peer][i]
            rows.append([str(ef), f"{ours[0]:.4f}", f"{peer[0]:.4f}", f"{ours[1] * 1000:.0f} us",
                         f"{peer[1] * 1000:.0f} us", f"{peer[1] / ours[1]:.2f}",
                         f"{ours[2]:,.0f}", f"{peer[2]:,.0f}", f"{ours[2] / peer[2]:.2f}"])
        self.report.table(
            f"Search by the index, recall@{K} of {self.dataset.queries} held-out queries",
            ["ef_search", "recall, ours", "peer", "1 client, ours", "peer", "times",
             f"{self.cores} clients, queries/s, ours", "peer", "times"], rows,
            f"pgbench, prepared; median of {self.options.turns} turns of {self.options.seconds} s.",
            self.search_chart(points))
        self.report.table(
            "The same at equal recall, interpolated",
            ["recall", "1 client, ours", "peer", "times", f"{self.cores} clients, ours", "peer",
             "times"],
            [self.at_recall(points, recall) for recall in self.recalls_to_compare(points)],
            "Interpolated between neighbouring ef_search, logarithms of time against logarithms "
            "of 1 - recall. Goal: 4 times at first.")

    def search_chart(self, points):
        """Recall against the time of a query, both sides."""
        series = [{"name": side.version(),
                   "points": [{"x": ms / 1000, "y": recall, "label": str(ef),
                               "title": f"ef_search {ef}",
                               "facts": [("recall", charts.percent(recall)),
                                         ("time, 1 client", charts.duration(ms / 1000)),
                                         (f"queries/s, {self.cores} clients", f"{rate:,.0f}")]}
                              for ef, (recall, ms, rate) in zip(self.options.ef, points[side])]}
                  for side in self.sides]
        return {"kind": "lines", "series": series,
                "x": {"title": "time of one query, one client", "scale": "log", "unit": "seconds"},
                "y": {"title": f"recall@{K}", "scale": "nines", "unit": "share"},
                "least_miss": 0.5 / (self.dataset.queries * K),
                "caption": "Up and left is better. The number at each point is its ef_search; equal "
                           "steps up divide what is missed by the same factor."}

    def recall(self, side, ef, exact):
        found = side.sql(
            "SET enable_seqscan = off; SET enable_sort = off;"
            "SELECT q.id, n.id FROM q, LATERAL (SELECT id FROM t ORDER BY v <-> q.v"
            f" LIMIT {K}) AS n", **{"hnsw.ef_search": ef})
        pairs = np.array([line.split("|") for line in found.splitlines()], dtype=np.int64)
        hits = sum(row in exact[query - 1] for query, row in pairs)
        return hits / exact.size

    def pgbench_search(self, side, ef, clients):
        return side.pgbench(
            f"\\set i random(1, {self.dataset.queries})\n"
            f"SELECT id FROM t ORDER BY v <-> (SELECT v FROM q WHERE id = :i) LIMIT {K};\n",
            clients, ["-T", str(self.options.seconds)],
            **{"hnsw.ef_search": ef, "enable_seqscan": "off"})

    def recalls_to_compare(self, points):
        lowest = max(points[side][0][0] for side in self.sides)
        return sorted({max(recall, lowest) for recall in (0.95, 0.99)})

    def at_recall(self, points, recall):
        row = [f"{recall:.4f}"]
        for column, unit, scale, is_rate in ((1, " us", 1000, False), (2, "/s", 1, True)):
            ours, peer = (interpolate([(p[0], p[column]) for p in points[side]], recall)
                          for side in self.sides)
            shown = [f"{value * scale:,.0f}{unit}" if value else "not reached"
                     for value in (ours, peer)]
            times = "" if not (ours and peer) else f"{ours / peer if is_rate else peer / ours:.2f}"
            row += [*shown, times]
        return row

    # --- building ---

    def build_times(self):
        self.ensure_loaded()
        rows, bars = [], []
        for processes in (1, self.cores):
            results = self.in_turns(lambda side: self.build(side, processes),
                                    self.options.build_turns)
            ours, peer = (statistics.median(ms for ms, _ in values) for values in results.values())
            memory = [max(peak for _, peak in values) for values in results.values()]
            bars.append((f"{processes} process" + ("es" if processes > 1 else ""), ours / 1000,
                         peer / 1000))
            rows.append([f"{processes} process" + ("es" if processes > 1 else ""),
                         f"{ours / 1000:.1f} s", f"{peer / 1000:.1f} s", f"{peer / ours:.2f}",
                         *(f"{peak / 2 ** 20:,.0f} MB" for peak in memory)])
        self.report.table("CREATE INDEX",
                          ["", "ours", "peer", "times", "peak memory, ours", "peer"], rows,
                          f"Median of {self.options.build_turns} turns; m 16, ef_construction 64; "
                          f"maintenance_work_mem {self.options.maintenance_work_mem}.",
                          charts.beside("seconds", "time of CREATE INDEX", bars))
        self.report_size()

    def report_size(self):
        sizes = [int(side.sql("SELECT pg_relation_size('t_v_idx')")) for side in self.sides]
        self.report.table(
            "Size of the index", ["", "ours", "peer", "ours / peer"],
            [["bytes", f"{sizes[0]:,}", f"{sizes[1]:,}", f"{sizes[0] / sizes[1]:.3f}"],
             ["bytes a vector", *(f"{size / self.dataset.rows:,.0f}" for size in sizes), ""]],
            "Goal at 768 dimensions: 0.36 at first.",
            charts.beside("bytes", "size of the index", [("", *sizes)]))

    # --- writing into an indexed table ---

    def insert(self):
        self.ensure_loaded()
        self.ensure_index()
        turns = self.options.turns
        n = min(self.options.inserts, self.dataset.spare // (2 * turns))
        rows, bars = [], []
        for clients in (1, self.cores):
            results = self.in_turns(lambda side: self.insert_rows(side, n // clients, clients))
            ours, peer = (statistics.median(rate for rate, _ in values)
                          for values in results.values())
            wal = [statistics.median(size for _, size in values) for values in results.values()]
            name = f"{clients} client" + ("s" if clients > 1 else "")
            bars.append((name, ours, peer))
            rows.append([name, f"{ours:,.0f}",
                         f"{peer:,.0f}", f"{ours / peer:.2f}", *(f"{size:,.0f}" for size in wal)])
        self.report.table(
            f"Single-row INSERT into {self.dataset.rows:,} indexed rows",
            ["", "rows/s, ours", "peer", "times", "WAL bytes a row, ours", "peer"], rows,
            f"Median of {turns} turns of {n} rows; one transaction each, synchronous_commit off, "
            "no checkpoint between (few full-page images); WAL of the table included. Goal: 4 "
            "times at first.", charts.beside("count", "rows a second", bars))

    def insert_rows(self, side, rows_per_client, clients):
        wal = "SELECT pg_current_wal_insert_lsn() - '0/0'"
        before = int(side.sql(wal))
        _, rate = side.pgbench(
            "INSERT INTO t SELECT nextval('next_id'), v FROM spare "
            "WHERE id = (SELECT nextval('next_spare'));\n", clients, ["-t", str(rows_per_client)])
        return rate, (int(side.sql(wal)) - before) / (rows_per_client * clients)

    def vacuum(self):
        self.ensure_loaded()
        self.ensure_index()
        deleted = iter([residue for residue in range(20) for _ in self.sides])
        (ours, _), (peer, _) = self.in_turns_medians(
            lambda side: self.vacuum_cost(side, next(deleted)), self.options.vacuum_turns)
        self.report.table("VACUUM after deleting 5 %", ["", "ours", "peer", "times"],
                          [[f"{self.dataset.rows:,} rows", f"{ours / 1000:.2f} s",
                            f"{peer / 1000:.2f} s", f"{peer / ours:.1f}"]],
                          f"Median of {self.options.vacuum_turns} turns, each after deleting "
                          "another 5 %; one process. Goal: 20 times at first.",
                          charts.beside("seconds", "time of VACUUM",
                                        [("", ours / 1000, peer / 1000)]))

    def vacuum_cost(self, side, residue):
        return side.costs(f"DELETE FROM t WHERE id % 20 = {residue}",
                          "VACUUM (PARALLEL 0, INDEX_CLEANUP ON) t")[0]


def interpolate(points, recall):
    """The value at `recall` on the line through (recall, value) points, in order of ef_search; None
    where no point reaches it."""
    before = None
    for found, value in points:
        if found >= recall:
            if before is None or before[0] >= found:
                return value
            low, high, wanted = (-math.log(max(1 - r, 1e-6)) for r in (before[0], found, recall))
            part = (wanted - low) / (high - low)
            return math.exp(math.log(before[1]) * (1 - part) + math.log(value) * part)
        before = (found, value)
    return None


def copy_rate(n_bytes):
    """Bytes a second, in GB, that one process copies from one large array to another."""
    source = np.ones(n_bytes // 8)
    target = np.zeros_like(source)
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return n_bytes / best / 1e9
