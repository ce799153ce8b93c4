"""What is measured of loading into indexed tables. The table t holds the first rows of the base,
and the rows behind them come in. Before a turn the database is what it was, so that all turns load
the same rows into the same index. A checkpoint goes before: the WAL has images of pages touched."""

import os
import statistics
from typing import NamedTuple

import charts
from experiments import K, Experiments

MOVED_ID = 1_000_000_000
CLOCK = "SELECT 1000 * extract(epoch FROM clock_timestamp());\n"


class Loaded(NamedTuple):
    ms: float
    wal: float  # bytes a row, and of these images of whole pages
    images: float


class Way(NamedTuple):
    """How rows of the ladder come in."""
    title: str
    side: object
    is_copy: bool
    settings: dict


class Loads(Experiments):
    def __init__(self, ours, peer, dataset, options, report):
        super().__init__(ours, peer, dataset, options, report)
        self.held = options.held
        self.saved = set()
        report.write(f"Of ours: vector_ext.insert_batch {options.insert_batch}. Indexes by L2 with "
                     f"default options, built with maintenance_work_mem "
                     f"{options.maintenance_work_mem}. Each turn begins with the same tables and a "
                     "checkpoint.\n")

    def settings(self, side):
        return {"vector_ext.insert_batch": self.options.insert_batch} if side is self.ours else {}

    def restore(self, side):
        """t holds its rows, vacuumed and indexed, and all is in the shared buffers."""
        if side in self.saved:
            side.restore()
        else:
            self.report.progress(f"preparing {side}")
            for table, path in (("t", self.dataset.part(0, self.held)),
                                ("q", self.dataset.path("queries")),
                                ("spare", self.dataset.part(self.held, self.options.loaded))):
                self.copy(side, table, path)
                side.sql(f"VACUUM (ANALYZE, FREEZE) {table}")
            self.build(side, self.cores)
            side.save()
            self.saved.add(side)
        side.sql("SELECT pg_prewarm('t'), pg_prewarm('t_v_idx'), pg_prewarm('spare'),"
                 " pg_prewarm('spare_pkey')")

    def timed(self, side, script, settings=None):
        """The milliseconds between each pair of CLOCK in a script of psql, and its other lines."""
        lines = side.sql(script, **{**self.settings(side), **(settings or {})}).splitlines()
        clocks = [float(line) for line in lines if line.replace(".", "").isdigit() and "." in line]
        others = [line for line in lines if "|" in line]
        return [end - start for start, end in zip(clocks[::2], clocks[1::2])], others

    # --- COPY into the index ---

    def copy_rows(self, side, state, n_rows):
        start = 0
        self.restore(side)
        if state == "empty":
            side.sql("TRUNCATE t")
        else:
            start = self.held
        path = self.dataset.part(start, n_rows)
        costs, wal, images = side.wal(lambda: side.costs(
            "SELECT v FROM t LIMIT 1", f"COPY t FROM '{path}' (FORMAT binary)",
            **self.settings(side)))
        return Loaded(costs[0][0], wal / n_rows, images / n_rows)

    def recalls(self, side, n_rows):
        """Recall of the index as it is, and of one that CREATE INDEX makes of the same rows."""
        exact = self.dataset.exact_neighbours(K, n_rows)
        loaded = self.recall(side, self.options.ef, exact)
        self.report.progress(f"building a fresh index of {side}")
        self.build(side, self.cores)
        return loaded, self.recall(side, self.options.ef, exact)

    def copy_times(self, state, n_rows, goal):
        """Rows of the two tables, time and WAL, recall; and of the chart."""
        sides = [side for side in self.sides
                 if side is self.ours or n_rows <= self.options.peer_rows]
        turns = self.in_turns(lambda side: self.copy_rows(side, state, n_rows), sides=sides)
        in_index = n_rows + (self.held if state == "held" else 0)
        costs, recalls = [], []
        for side in self.sides:
            if side not in sides:
                costs.append(None)
                recalls += ["", ""]
                continue
            costs.append(Loaded(*map(statistics.median, zip(*turns[side]))))
            recalls += [f"{recall:.4f}" for recall in self.recalls(side, in_index)]
        name = f"{n_rows:,} into " + (f"{self.held:,}" if state == "held" else "an empty table")
        ours, peer = costs
        times = [name, *(f"{n_rows / cost.ms * 1000:,.0f}" if cost else "" for cost in costs),
                 f"{peer.ms / ours.ms:.1f}" if peer else "", goal,
                 *(f"{cost.wal:,.0f} ({cost.images:,.0f})" if cost else "" for cost in costs)]
        rates = [n_rows / cost.ms * 1000 if cost else None for cost in costs]
        return times, [name, *recalls], (name, *rates)

    def copy_into_index(self):
        counts = sorted({self.options.peer_rows, self.options.loaded})
        results = [self.copy_times(state, n_rows, goal)
                   for state, goal in (("held", "8"), ("empty", "10")) for n_rows in counts]
        self.report.table(
            "COPY BINARY into a table with an index",
            ["rows", "rows/s, ours", "peer", "times", "goal",
             "WAL bytes a row (of them page images), ours", "peer"],
            [times for times, _, _ in results],
            f"Median of {self.options.turns} turns; with the commit. WAL of the table included."
            + ("" if len(counts) == 1 else " The peer is slow and was given fewer rows; where it "
               f"has none, compare its rate at {counts[0]:,}."),
            charts.beside("count", "rows a second", [rates for _, _, rates in results]))
        self.report.table(
            f"Recall@{K} afterwards, at ef_search {self.options.ef}",
            ["rows", "ours, loaded", "ours, fresh CREATE INDEX", "peer, loaded",
             "peer, fresh CREATE INDEX"], [recalls for _, recalls, _ in results],
            f"Of {self.dataset.queries} held-out queries, on the last turn's index, and on a new "
            "one of the same rows. Goal: at most 0.01 lower.")

    # --- UPDATE of another column ---

    def update(self):
        n_rows = self.options.updates
        medians = self.in_turns_medians(lambda side: self.update_rows(side, n_rows))
        ours, peer = (Loaded(*values) for values in medians)
        self.report.table(
            "UPDATE of another, indexed column",
            ["rows", "ours", "peer", "times", "goal", "WAL bytes a row (of them page images), ours",
             "peer"],
            [[f"{n_rows:,} of {self.held:,}", f"{ours.ms / 1000:.3f} s", f"{peer.ms / 1000:.3f} s",
              f"{peer.ms / ours.ms:.1f}", "10",
              *(f"{side.wal:,.0f} ({side.images:,.0f})" for side in (ours, peer))]],
            f"Median of {self.options.turns} turns; the column has a btree index, so no row "
            "version is heap-only and each gets an entry in the hnsw index too.",
            charts.beside("seconds", "time of UPDATE", [("", ours.ms / 1000, peer.ms / 1000)]))

    def update_rows(self, side, n_rows):
        self.restore(side)
        side.sql("CREATE INDEX t_id_idx ON t (id); ANALYZE t (id); CHECKPOINT")
        costs, wal, images = side.wal(lambda: side.costs(
            "SELECT v FROM t LIMIT 1",
            f"UPDATE t SET id = id + {MOVED_ID} WHERE id <= {n_rows}", **self.settings(side)))
        return Loaded(costs[0][0], wal / n_rows, images / n_rows)

    # --- from one row to many ---

    def ladder(self):
        ways = [Way("ours, COPY", self.ours, True, {}),
                Way("ours, INSERT", self.ours, False, {}),
                Way("ours, INSERT, insert_batch 0", self.ours, False,
                    {"vector_ext.insert_batch": 0}),
                Way("peer, COPY", self.peer, True, {}),
                Way("peer, INSERT", self.peer, False, {})]
        times = {(way.title, rung): [] for way in ways for rung in self.options.ladder}
        for turn in range(self.options.turns):
            for way in ways:
                for rung, ms in self.climb(way):
                    times[way.title, rung] += ms
                self.report.progress(f"turn {turn + 1}, ladder, {way.title}")
        rows = []
        series = {way.title: [] for way in ways}
        for rung in self.options.ladder:
            ms = [statistics.median(found) if found else None
                  for found in (times[way.title, rung] for way in ways)]
            for way, value in zip(ways, ms):
                if value:
                    series[way.title].append(
                        {"x": rung, "y": rung / value * 1000, "title": f"{rung:,} rows",
                         "facts": [("rows a second", f"{rung / value * 1000:,.0f}"),
                                   ("time", charts.duration(value / 1000))]})
            rows.append([f"{rung:,}", *(f"{rung / value * 1000:,.0f}" if value else ""
                                        for value in ms),
                         f"{ms[2] / ms[0]:.2f}", f"{ms[2] / ms[1]:.2f}",
                         f"{ms[3] / ms[0]:.1f}" if ms[3] else "",
                         f"{ms[4] / ms[1]:.1f}" if ms[4] else ""])
        self.report.table(
            f"One transaction of few or many rows, into {self.held:,}: rows/s",
            ["rows", *(way.title for way in ways), "COPY / INSERT with insert_batch 0",
             "INSERT / INSERT with insert_batch 0", "COPY, ours / peer", "INSERT, ours / peer"],
            rows,
            f"Medians of {self.options.turns} turns, of several transactions each up to 100 rows. "
            "COPY BINARY is one statement, INSERT one prepared statement a row by psql, between "
            "BEGIN and COMMIT; insert_batch 0 inserts every row at once.",
            {"kind": "lines",
             "x": {"title": "rows of a transaction", "scale": "log", "unit": "count"},
             "y": {"title": "rows a second", "scale": "log", "unit": "count"},
             "series": [{"name": name, "points": points} for name, points in series.items()
                        if points]})

    def climb(self, way):
        """Yields each rung with the milliseconds of its transactions."""
        used = self.options.loaded
        for rung in self.options.ladder:
            if way.side is self.peer and rung > self.options.peer_rows:
                continue
            n_repeats = max(1, min(20, 1000 // rung))
            warm_up = 1 if n_repeats > 1 else 0
            n_repeats = max(1, min(n_repeats, self.options.loaded // rung - warm_up))
            if used + (n_repeats + warm_up) * rung > self.options.loaded:
                self.restore(way.side)
                used = 0
            script = ""
            for _ in range(n_repeats + warm_up):
                script += CLOCK + self.transaction(way, used, rung) + CLOCK
                used += rung
            ms, _ = self.timed(
                way.side, f"PREPARE one AS INSERT INTO t SELECT id, v FROM spare WHERE id = $1;\n"
                f"{script}", way.settings)
            yield rung, ms[warm_up:]

    def transaction(self, way, used, n_rows):
        start = self.held + used
        if way.is_copy:
            return f"COPY t FROM '{self.dataset.part(start, n_rows)}' (FORMAT binary);\n"
        rows = "".join(f"EXECUTE one({start + i});\n" for i in range(1, n_rows + 1))
        return f"BEGIN;\n{rows}COMMIT;\n"

    # --- through a stage ---

    def upsert(self):
        """Ours alone: beside COPY of the same vectors under new keys."""
        n_rows = self.options.loaded
        n_old = min(n_rows // 2, self.held)
        new = self.dataset.part(self.held, n_rows)
        half_new = self.dataset.part(self.held, n_rows, self.held - n_old + 1)
        copies, upserts, calls = [], [], []
        for turn in range(self.options.turns):
            self.restore_with_key()
            copies += self.timed(
                self.ours, f"SELECT v FROM t LIMIT 1 \\g /dev/null\n{CLOCK}"
                f"\\copy t FROM '{new}' (FORMAT binary)\n{CLOCK}")[0]
            self.restore_with_key()
            ms, (counts,) = self.timed(
                self.ours, f"SELECT v FROM t LIMIT 1 \\g /dev/null\n{CLOCK}BEGIN;\n"
                "SELECT vector_stage_for('t', 'stage');\n"
                f"\\copy stage FROM '{half_new}' (FORMAT binary)\n"
                "SELECT inserted, updated, unchanged, skipped, rejected, round(1000 * "
                "extract(epoch FROM elapsed)) FROM vector_bulk_upsert('t', 'stage', 'update');\n"
                f"COMMIT;\n{CLOCK}")
            upserts += ms
            *counts, call = map(int, counts.split("|"))
            calls.append(call)
            self.report.progress(f"turn {turn + 1}: {copies[-1]}, {upserts[-1]}")
        copied, upserted = statistics.median(copies), statistics.median(upserts)
        self.report.table(
            f"Upsert of {n_rows:,} rows through a stage, into {self.held:,}; ours",
            ["COPY of as many new rows", "upsert", "of it the call", "upsert / COPY", "goal",
             "rows/s", "inserted, updated, unchanged, skipped, rejected"],
            [[f"{copied / 1000:.2f} s", f"{upserted / 1000:.2f} s",
              f"{statistics.median(calls) / 1000:.2f} s", f"{upserted / copied:.2f}", "1.3",
              f"{n_rows / upserted * 1000:,.0f}", ", ".join(f"{count:,}" for count in counts)]],
            f"Median of {self.options.turns} turns. The table has a primary key and the index. The "
            "upsert is a transaction: making the stage, \\copy, vector_bulk_upsert, COMMIT.")

    def restore_with_key(self):
        self.restore(self.ours)
        self.ours.sql("ALTER TABLE t ADD PRIMARY KEY (id); CHECKPOINT")

    # --- as a user would do it ---

    def flow(self, dataset, n_staged):
        """Ours alone: the transaction with a stage in psql, on a large table."""
        n_rows = dataset.rows - n_staged
        n_old = min(n_staged // 2, n_rows)
        self.report.progress("making the table of flow")
        self.ours.sql(
            "CREATE TABLE items (id bigint PRIMARY KEY, v vector);"
            f"ALTER TABLE items ALTER COLUMN v TYPE vector({dataset.dims});"
            f"ALTER TABLE items ALTER COLUMN v SET STORAGE {self.options.storage};"
            f"COPY items FROM '{dataset.part(0, n_rows)}' (FORMAT binary);"
            "CREATE INDEX items_v_idx ON items USING hnsw (v vector_l2_ops);"
            "VACUUM ANALYZE items; CHECKPOINT",
            max_parallel_maintenance_workers=self.cores - 1,
            maintenance_work_mem=self.options.maintenance_work_mem)
        path = os.path.relpath(dataset.part(n_rows, n_staged, n_rows - n_old + 1))
        done = self.ours.run(
            ["psql", "-X", "-a", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            {**self.settings(self.ours), "client_min_messages": "notice"},
            "SELECT count(*) AS rows, pg_size_pretty(pg_relation_size('items_v_idx')) AS index "
            "FROM items;\n\\timing on\nBEGIN;\nSELECT vector_stage_for('items', 'stage');\n"
            f"\\copy stage FROM '{path}' (FORMAT binary)\n"
            "SELECT * FROM vector_bulk_upsert('items', 'stage', 'update');\nCOMMIT;\n\\timing off\n"
            "SELECT count(*) AS findings FROM hnsw_check('items_v_idx', true);\n")
        self.ours.sql("DROP TABLE items")
        self.report.text(f"A stage in psql: {n_staged:,} rows, half of them new, into an indexed "
                         f"table of {n_rows:,} x {dataset.dims}; ours",
                         done.stderr + done.stdout)
