#!/usr/bin/python3
"""Holds chosen plans against all others, on a running server (started by bench/plans)."""

import argparse
import json
import os
import subprocess
from collections import Counter
from typing import NamedTuple

from dataset import HERE, Dataset
from plan_shapes import SHAPES, make_shapes
from report import Report, processor

# Settings that leave one kind of plan.
KINDS = {
    "index": {"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off"},
    "seq": {"vector_ext.only_index": "1", "enable_indexscan": "off", "enable_bitmapscan": "off"},
    "btree": {"vector_ext.only_index": "1", "enable_seqscan": "off"},
}
# Recall may be so much lower than that of the same search without a condition, or by one row.
TOLERANCE = 0.03


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/plans", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small tables: does it run?")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 50_000, 200_000])
    parser.add_argument("--dims", type=int, default=384)
    parser.add_argument("--storage", default="external", help="of the vectors")
    parser.add_argument("--selectivity", type=float, nargs="+",
                        default=[1, 0.5, 0.1, 0.02, 0.005, 0.0005])
    parser.add_argument("--limits", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--ef", type=int, nargs="+", default=[10, 40, 200, 1000])
    parser.add_argument("--queries", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--cold", action="store_true",
                        help="nothing is in memory when a query begins, and the planner knows it")
    parser.add_argument("--no-shapes", action="store_true", help="the table of conditions alone")
    parser.add_argument("--seed", type=int, default=1, help="of generated vectors")
    parser.add_argument("--data", default=os.environ.get("VECTOR_EXT_DATA"))
    parser.add_argument("--limit", type=int, default=1800, help="seconds that generating may take")
    parser.add_argument("--json", metavar="FILE", help="where the numbers go, and FILE's .html")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.dims, options.queries, options.turns = [1000, 5000], 64, 3, 1
        options.limits, options.ef = [10, 100], [40]
    options.spare = 0
    return options


class Session:
    """One psql that runs on."""

    def __init__(self):
        self.psql = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def sql(self, text):
        self.psql.stdin.write(text.rstrip().rstrip(";") + ";\n\\echo <end>\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            if line == "<end>\n":
                return "".join(lines).rstrip("\n")
            lines.append(line)
        raise SystemExit(f"the server refused: {text[:400]}")

    def call(self, function, *arguments):
        return json.loads(self.sql(f"SELECT {function}({', '.join(map(literal, arguments))})"))


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, dict):
        value = json.dumps(value)
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


class Measured(NamedTuple):
    ms: float
    n_rows: float
    ids: list


class Judged(NamedTuple):
    name: tuple
    chosen: str
    plans: dict   # kind: (Measured, recall)
    fastest: str  # of those that return what was asked for
    ratio: float  # infinite where the chosen plan does not


class Plans:
    def __init__(self, options, report):
        self.options, self.report = options, report
        self.session = Session()
        self.dataset = None

    def load(self):
        options = self.options
        wanted = argparse.Namespace(**vars(options))
        wanted.rows = max(options.rows)
        wanted.queries = max(options.queries, 50)
        self.dataset = Dataset(wanted)
        self.session.sql("CREATE EXTENSION vector_ext")
        for name in "base", "queries":
            self.session.sql(
                f"CREATE TABLE {name} (id bigint, v vector({self.dataset.dims}));\n"
                f"\\copy {name} FROM '{self.dataset.path(name)}' WITH (FORMAT binary)\n")
        with open(os.path.join(HERE, "plans.sql"), encoding="utf-8") as file:
            self.session.sql(file.read())
        for n in options.rows:
            self.make_table(f"t{n}", n)
        if options.cold:
            self.session.sql("CREATE EXTENSION pg_prewarm; CREATE TABLE filler (t char(4000));"
                             "ALTER TABLE filler ALTER t SET STORAGE plain;"
                             "INSERT INTO filler SELECT '' FROM generate_series(1, 4000)")
        self.session.sql("VACUUM ANALYZE; CHECKPOINT")

    def make_table(self, name, n_rows):
        self.session.sql(
            f"CREATE TABLE {name} (id bigint PRIMARY KEY, f float8, v vector({self.dataset.dims}));"
            f"ALTER TABLE {name} ALTER v SET STORAGE {self.options.storage};"
            f"SELECT setseed(0.25); INSERT INTO {name} SELECT id, random(), v FROM base WHERE id <= {n_rows};"
            f"CREATE INDEX {name}_v ON {name} USING hnsw (v vector_l2_ops)")
        Report.progress(f"{name} is there")

    def measure(self, statement, settings, prepared=None):
        """None where the settings do not leave a plan of their kind."""
        n_turns = self.options.turns
        if self.options.cold:
            self.evict()
            n_turns = 1
        got = self.session.call("measured_plan", statement, prepared, settings,
                                self.options.queries if not self.options.cold else 1, n_turns)
        return got["kind"], Measured(got["ms"], sum(map(len, got["ids"])) / len(got["ids"]),
                                     got["ids"])

    def evict(self):
        """Takes all pages out of the server's memory and the system's."""
        self.session.sql("CHECKPOINT; SELECT pg_prewarm('filler')")
        folder = self.session.sql("SHOW data_directory")
        for root, _, names in os.walk(os.path.join(folder, "base")):
            for name in names:
                with open(os.path.join(root, name), "rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def cache_size(self):
        return "8MB" if self.options.cold else "16GB"

    def judge(self, name, statement, settings, plans, floor, prepared=None):
        """`plans` are those measured, by kind; there is an exact one."""
        exact = next(plans[kind] for kind in ("seq", "btree") if kind in plans)
        settings = {"effective_cache_size": self.cache_size(), **settings}
        chosen = self.session.call("chosen_plan", statement, prepared, settings)["kind"]
        beside = {kind: (plan, recall(plan, exact)) for kind, plan in plans.items()}
        floor -= max(TOLERANCE, 1 / max(1, sum(map(len, exact.ids))))
        serving = {kind: plan.ms for kind, (plan, found) in beside.items()
                   if plan.n_rows >= exact.n_rows and found >= floor}
        fastest = min(serving, key=serving.get)
        ratio = serving[chosen] / serving[fastest] if chosen in serving else float("inf")
        return Judged(name, chosen, beside, fastest, ratio)

    def run_conditions(self):
        judged = []
        for with_btree in False, True:
            for n in self.options.rows:
                if with_btree:
                    self.session.sql(f"CREATE INDEX {f't{n}_f'} ON t{n} (f); ANALYZE t{n}")
                for limit in self.options.limits:
                    if limit <= n:
                        judged += self.run_limit(n, limit, with_btree)
                Report.progress(f"{n:,} rows {'with' if with_btree else 'without'} btree")
        return judged

    def run_limit(self, n, limit, with_btree):
        floors = {}
        for selectivity in sorted(self.options.selectivity, reverse=True):
            condition = f"WHERE f < {selectivity} " if selectivity < 1 else ""
            statement = f"SELECT id FROM t{n} {condition}ORDER BY v <-> %1$L LIMIT {limit}"
            exact = {}
            for kind in ("seq", "btree") if with_btree and condition else ("seq",):
                exact[kind] = self.measure(statement, KINDS[kind])[1]
            for ef in self.options.ef:
                index = self.measure(statement, {**KINDS["index"], "hnsw.ef_search": str(ef)})[1]
                if ef not in floors:
                    floors[ef] = recall(index, exact["seq"])
                yield self.judge((n, with_btree, selectivity, limit, ef), statement,
                                 {"hnsw.ef_search": str(ef)}, {**exact, "index": index},
                                 floors[ef])

    def run_shapes(self):
        n = min(max(self.options.rows), 50_000)
        for text in make_shapes(f"t{n}", n):
            self.session.sql(text)
        judged = []
        for shape in SHAPES:
            plans = {}
            settings = {name: value for name, value in shape.settings}
            statement = shape.statement.format(table=f"t{n}")
            prepared = shape.prepared and shape.prepared.format(table=f"t{n}")
            for kind, forced in KINDS.items():
                seen, plan = self.measure(statement, {**settings, **forced}, prepared)
                if seen == kind or kind not in plans and kind == "seq":
                    plans[kind] = plan
            judged.append(self.judge((shape.name,), statement, settings, plans, shape.floor,
                                     prepared))
            Report.progress(shape.name)
        return judged

    def run(self):
        self.load()
        self.describe()
        self.report_table("Conditions", ["rows", "btree", "share", "LIMIT", "ef"],
                          self.run_conditions())
        if not self.options.no_shapes:
            self.report_table("Shapes", ["statement"], self.run_shapes())
        self.report.finish()

    def describe(self):
        options, result = self.options, self.report.result
        result["title"] = "Plans"
        result["sides"] = self.session.sql("SELECT version()").split(" on ")[0]
        result["command"] = "bench/plans"
        result["facts"] = [
            ("machine", f"{processor()}, {os.cpu_count()} cores"),
            ("load of the last minute", f"{os.getloadavg()[0]:.1f}"),
            ("data", f"{self.dataset.dims} dimensions, {self.dataset.description}, storage "
                     f"{options.storage}, {'read from disk' if options.cold else 'in memory'}")]
        self.report.write(f"## Plans: {result['sides']}\n")
        for name, fact in result["facts"]:
            self.report.write(f"- {name}: {fact}")
        self.report.write("")

    def report_table(self, title, head, judged):
        rows = []
        for cell in judged:
            name = [f"{part:,}" if isinstance(part, int) and not isinstance(part, bool)
                    else {True: "yes", False: "no"}.get(part, f"{part}")
                    if isinstance(part, bool) else f"{part}" for part in cell.name]
            plans = []
            for kind in KINDS:
                plan, found = cell.plans.get(kind, (None, 0))
                plans.append("" if plan is None else f"{plan.ms:.2f} ms, {plan.n_rows:.0f} rows, "
                                                     f"{found:.3f}")
            rows.append(name + plans + [cell.chosen, cell.fastest,
                                        f"{cell.ratio:.2f}" if cell.ratio < 1e9 else "not served"])
        n_good = sum(cell.ratio <= 2 for cell in judged)
        n_served = sum(cell.ratio < 1e9 for cell in judged)
        note = (f"{n_good} of {len(judged)} chosen plans take at most twice the time of the fastest that "
                f"returns what was asked for; {len(judged) - n_served} do not return it.")
        self.report.table(title, head + list(KINDS) + ["chosen", "fastest", "times"], rows, note)
        worst = sorted((cell for cell in judged if cell.ratio > 2), key=lambda cell: -cell.ratio)
        for cell in worst[:40]:
            self.report.write(f"- {cell.name}: {cell.chosen} instead of {cell.fastest}, "
                              f"{cell.ratio:.1f} times")
        self.report.write("")


def recall(plan, exact):
    n_right = sum((Counter(found) & Counter(right)).total()
                  for found, right in zip(plan.ids, exact.ids))
    n_wanted = sum(map(len, exact.ids))
    return n_right / n_wanted if n_wanted else 1.0


def main():
    options = parse_arguments()
    os.makedirs(os.path.join(HERE, "../build/bench"), exist_ok=True)
    report = Report(os.path.join(HERE, "../build/bench/plans.md"), options.json)
    Plans(options, report).run()


if __name__ == "__main__":
    main()
