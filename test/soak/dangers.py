"""Known dangers: histories written by hand, each of which was once wrong.

Each function gets a Stage, raises Finding where it is wrong, and is small enough for every run of
the tests; those in SLOW only show at sizes that take longer.
"""

import numpy as np

import zoo
from client import ServerError
from oracle import INDEXED, UNLIMITED, Finding, Oracle, settings
from servers import Held


class Stage:
    """A database with the extension, and a session in it."""

    def __init__(self, cluster, database, figures):
        self.cluster = cluster
        self.database = database
        self.figures = figures
        self.sessions = []
        cluster.new_database(database)
        self.a = self.session()

    def session(self):
        session = self.cluster.session(self.database)
        session.run("SET client_min_messages = error")
        session.run("LOAD 'vector_ext'")
        self.sessions.append(session)
        return session

    def close(self):
        for session in self.sessions:
            session.close()
        self.cluster.drop_database(self.database)

    def table(self, dims, columns="id bigint PRIMARY KEY"):
        self.a.run(f"CREATE TABLE t ({columns}, v vector({dims}))")

    def load(self, first, vectors, columns=()):
        ids = list(range(first, first + len(vectors)))
        self.a.copy("COPY t FROM STDIN", zoo.copy_text(ids, vectors, columns))
        self.figures.add("rows written", len(ids))

    def index(self, metric="l2", options=""):
        self.a.run(f"CREATE INDEX t_v ON t USING hnsw (v vector_{metric}_ops) {options}")

    def oracle(self, metric="l2", dims=4):
        return Oracle(self.figures, metric, dims)

    def dead(self, held, session):
        return int(held.beside(session, "SELECT dead FROM hnsw_info('t_v')")[0][0])


def _cube(seed, n, dims=4, shift=0.0):
    rows = np.random.default_rng(seed).random((n, dims)).astype(np.float32)
    rows[:, 0] += shift
    return rows


def _values(first, vectors):
    return ", ".join(f"({first + i}, '{zoo.text(v)}')" for i, v in enumerate(vectors))


# --- rows that come while VACUUM runs ---

def _rows_beside_vacuum(stage, n_far, n_new, one_by_one):
    """Three times, with slices of another length: VACUUM then stands at other points."""
    for seconds in (0.0003, 0.001, 0.003):
        stage.table(4)
        stage.load(1, _cube(1, 6000))
        if n_far:
            stage.load(100001, _cube(2, n_far, shift=100.0))
        stage.index()
        stage.a.run("DELETE FROM t WHERE id <= 6000")
        _write_beside_vacuum(stage, n_new, one_by_one, seconds)
        oracle, query = stage.oracle(), "'[0.5,0.5,0.5,0.5]'"
        oracle.every_row(stage.a, query)
        oracle.own_vectors(stage.a)
        oracle.check(stage.a)
        stage.a.run(f"INSERT INTO t VALUES (300001, {query})")
        stage.a.run("VACUUM t")
        oracle.every_row(stage.a, query)
        oracle.check(stage.a)
        stage.a.run("DROP TABLE t")


def _write_beside_vacuum(stage, n_new, one_by_one, seconds):
    """Rows that come when the clean-up has begun to mark nodes dead."""
    watcher = stage.session()
    held = Held(stage.session(), "VACUUM t", seconds)
    try:
        if not held.run_until(lambda: stage.dead(held, watcher) > 0, seconds):
            stage.figures.add("moments missed")
        new = _cube(3, n_new)
        if one_by_one:
            for i in range(n_new):
                held.beside(stage.a, f"INSERT INTO t VALUES {_values(200001 + i, new[i:i + 1])}")
        else:
            held.beside(stage.a, f"INSERT INTO t VALUES {_values(200001, new)}")
        held.finish()
    finally:
        held.release()
    stage.figures.add("vacuums")


def rows_beside_vacuum_of_all(stage):
    _rows_beside_vacuum(stage, 0, 500, False)


def single_rows_beside_vacuum_of_all(stage):
    _rows_beside_vacuum(stage, 0, 5, True)


def rows_beside_vacuum_of_a_cluster(stage):
    _rows_beside_vacuum(stage, 400, 5, True)


# --- the entry point ---

def entry_point_taken_over(stage):
    """An insert near a mass of dead nodes does not replace the graph that lives elsewhere."""
    for seconds in (0.0003, 0.001, 0.003):
        stage.table(4)
        stage.load(1, _cube(4, 6000))
        stage.load(100001, _cube(5, 300, shift=100.0))
        stage.index()
        stage.a.run("DELETE FROM t WHERE id <= 6000")
        _cut_vacuum_when_all_are_dead(stage, seconds)
        stage.a.run("INSERT INTO t VALUES (200001, '[0.5,0.5,0.5,0.5]')")
        oracle, far = stage.oracle(), "'[100.5,0.5,0.5,0.5]'"
        for _ in range(2):
            oracle.every_row(stage.a, far)
            oracle.own_vectors(stage.a)
            stage.a.run("VACUUM t")
        oracle.check(stage.a)
        stage.a.run("DROP TABLE t")


def _cut_vacuum_when_all_are_dead(stage, seconds):
    watcher = stage.session()
    held = Held(stage.session(), "VACUUM t", seconds)
    try:
        if not held.run_until(lambda: stage.dead(held, watcher) >= 5995, seconds):
            stage.figures.add("moments missed")
        held.finish(cancel=True)
        stage.figures.add("moments missed")
    except ServerError as error:
        if error.sqlstate != "57014":
            raise
        stage.figures.add("cancels")
    finally:
        held.release()


# --- serializable ---

def _write_skew(stage, batch, n_rows, prepare):
    stage.table(3)
    stage.load(1000, np.float32([[i, 0, 0] for i in range(1000, 1200)]))
    stage.index()
    pair = [stage.session(), stage.session()]
    for session in pair:
        session.run("SET enable_seqscan = off")
        session.run(f"SET vector_ext.insert_batch = '{batch}'")
        session.run("BEGIN ISOLATION LEVEL SERIALIZABLE")
    failed = 0
    for i, session in enumerate(pair):
        try:
            session.run("SELECT id FROM t ORDER BY v <-> '[0,0,0]' LIMIT 1")
            session.run(f"INSERT INTO t SELECT {i} * 400 + j, ARRAY[1 + j / 1000.0, 0, 0]::vector "
                        f"FROM generate_series(1, {n_rows}) j")
        except ServerError as error:
            if error.sqlstate != "40001":
                raise
            failed += 1
    for i, session in enumerate(pair):
        how = [f"PREPARE TRANSACTION 's{i}'", f"COMMIT PREPARED 's{i}'"] if prepare else ["COMMIT"]
        for sql in how:
            sqlstate = session.attempt(sql) if session.in_transaction() or len(how) == 2 else None
            if sqlstate == "40001":
                failed += 1
                session.attempt("ROLLBACK")
                break
            if sqlstate not in (None, "42704"):
                raise Finding(f"error {sqlstate} at the end of a serializable transaction", sql)
    stage.figures.add("serializable pairs")
    n = int(stage.a.value("SELECT count(*) FROM t WHERE id < 1000"))
    if n > n_rows:
        raise Finding("write skew: two serializable transactions that exclude each other",
                      f"both committed, insert_batch {batch}, {n_rows} rows, prepared: {prepare}")
    stage.oracle("l2", 3).judge(stage.a, ["'[0,0,0]'", "'[1100,0,0]'"])


def write_skew_at_once(stage):
    _write_skew(stage, "0", 1, False)


def write_skew_gathered(stage):
    _write_skew(stage, "64MB", 1, False)


def write_skew_prepared(stage):
    _write_skew(stage, "64MB", 1, True)


def write_skew_full_queue(stage):
    _write_skew(stage, "64kB", 390, False)


# --- islands ---

def _groups(stage, how, batch="64MB"):
    """Clusters far apart: a filter on one finds its rows, and each row finds itself."""
    rng = np.random.default_rng(6)
    centres = rng.random((20, 8)) * 10
    c = np.arange(4000) % 20
    rows = (centres[c] + rng.random((4000, 8)) * 0.5).astype(np.float32)
    order = rng.permutation(4000)
    stage.table(8, "id bigint PRIMARY KEY, c int")
    stage.a.run(f"SET vector_ext.insert_batch = '{batch}'")
    if how != "build":
        stage.index()
    stage.load(1, rows[order], (c[order],))
    if how == "build":
        stage.index()
    short = []
    with settings(stage.a, INDEXED, UNLIMITED):
        for _ in range(60):
            group = int(rng.integers(0, 20))
            query = "'" + zoo.text((rng.random(8) * 10).astype(np.float32)) + "'"
            n = stage.a.value(f"SELECT count(*) FROM (SELECT id FROM t WHERE c = {group} "
                              f"ORDER BY v <-> {query} LIMIT 10) x")
            stage.figures.add("searches compared")
            if n != "10":
                short.append((group, n))
    if short:
        raise Finding("a filtered scan without limits returns too few rows",
                      f"{len(short)} of 60, 200 rows match each: (group, rows) {short[:5]}")
    oracle = stage.oracle("l2", 8)
    oracle.own_vectors(stage.a, 300)
    oracle.every_row(stage.a, "'" + zoo.text(rows[0]) + "'")
    oracle.check(stage.a)


def islands_of_a_build(stage):
    _groups(stage, "build")


def islands_of_a_copy(stage):
    _groups(stage, "copy")


def islands_of_single_rows(stage):
    _groups(stage, "copy", "0")


def islands_of_two_clusters(stage):
    """Builds over two clusters, 3 apart in 4 dimensions."""
    stage.table(4)
    stage.load(1, zoo.rows("two_clusters", 4, 7, range(1, 8001)))
    oracle = stage.oracle()
    for build in range(4):
        stage.a.run("DROP INDEX IF EXISTS t_v")
        stage.index()
        oracle.own_vectors(stage.a, 400, build)
        oracle.every_row(stage.a, "'[3.5,0.5,0.5,0.5]'")
        oracle.check(stage.a)


def groups_lost_by_builds(stage):
    """Two directions in one dimension by cosine; six tight groups: each is found."""
    lost = []
    stage.table(1)
    stage.load(1, np.random.default_rng(8).random((2000, 1)).astype(np.float32) - 0.5)
    stage.a.run("SET enable_seqscan = off")
    stage.a.run("SET max_parallel_maintenance_workers = 0")
    for build in range(12):
        stage.a.run("DROP INDEX IF EXISTS t_v")
        stage.index("cosine")
        for query in ("[1]", "[-1]"):
            d = float(stage.a.value(f"SELECT v <=> '{query}' FROM t "
                                    f"ORDER BY v <=> '{query}' LIMIT 1"))
            stage.figures.add("searches compared")
            if d > 0.1:
                lost.append((build, query))
    if lost:
        raise Finding("a whole direction is not found", f"(build, query) {lost}")
    stage.a.run("DROP TABLE t")
    rng = np.random.default_rng(9)
    centres = rng.standard_normal((6, 100)) * 10
    c = np.arange(3000) % 6
    stage.table(100, "id bigint PRIMARY KEY, c int")
    stage.load(1, (centres[c] + rng.standard_normal((3000, 100))).astype(np.float32), (c,))
    for build in range(6):
        stage.a.run("DROP INDEX IF EXISTS t_v")
        stage.index()
        for group in range(6):
            query = "'" + zoo.text(centres[group].astype(np.float32)) + "'"
            found = stage.a.value(f"SELECT c FROM t ORDER BY v <-> {query} LIMIT 1")
            stage.figures.add("searches compared")
            if found != str(group):
                lost.append((build, group))
    if lost:
        raise Finding("a whole group is not found", f"(build, group) {lost}")


# --- plans ---

def second_order_key(stage):
    grid = np.float32([[x, y] for x in range(-20, 21) for y in range(-20, 21)])
    stage.table(2)
    stage.load(1, np.random.default_rng(10).permutation(grid))
    stage.index()
    stage.a.run("ANALYZE t")
    stage.oracle("l2", 2).sorted_plans(stage.a, "'[0,0]'", "'[1,0]'")


def sorted_plans(stage):
    """Many equal distances, at dimensions whose codes do not tell them exactly."""
    rng = np.random.default_rng(11)
    rows = np.where(rng.random((2000, 300)) < 0.5, -1.0, 1.0)
    rows[::2, 0] *= 1.03
    stage.table(300)
    stage.load(1, rows.astype(np.float32))
    stage.index()
    stage.a.run("ANALYZE t")
    zero = "'" + zoo.text(np.zeros(300, np.float32)) + "'"
    one = "'" + zoo.text(np.ones(300, np.float32)) + "'"
    oracle = stage.oracle("l2", 300)
    stage.a.run("SET enable_seqscan = off")
    stage.a.run("CREATE TABLE distances AS SELECT DISTINCT d FROM "
                f"(SELECT v <-> {zero} AS d FROM t OFFSET 0) x")
    stage.a.run("INSERT INTO distances SELECT generate_series(1, 2000)")
    stage.a.run("CREATE INDEX ON distances (d)")
    stage.a.run("ANALYZE distances")
    with settings(stage.a, {"enable_hashjoin": "off", "enable_nestloop": "off",
                            "enable_sort": "off"}):
        try:
            n = stage.a.value(
                "SELECT count(*) FROM (SELECT x.d FROM distances x JOIN t ON x.d = "
                f"v <-> {zero} ORDER BY v <-> {zero} LIMIT 40) y")
        except ServerError as error:
            raise Finding(f"a merge join ends in {error.sqlstate}", error.message) from error
        if n != "40":
            raise Finding("a merge join lacks rows", f"{n} of 40")
    oracle.sorted_plans(stage.a, zero, one)


# --- few links, long lives ---

def low_m(stage):
    """m = 2, half of the rows deleted, VACUUM: a scan without limits returns the rest."""
    for shape, dims, metric in (("uniform", 3, "l2"), ("uniform", 8, "l2"), ("uniform", 48, "l2"),
                                ("heavy_norms", 8, "cosine"), ("by_cluster", 8, "l2")):
        stage.table(dims)
        stage.load(1, zoo.rows(shape, dims, 12, range(1, 4001)))
        stage.index(metric, "WITH (m = 2)")
        oracle = stage.oracle(metric, dims)
        query = "'" + zoo.text(zoo.rows(shape, dims, 12, [0], 1)[0]) + "'"
        oracle.every_row(stage.a, query)
        stage.a.run("DELETE FROM t WHERE id % 2 = 0")
        stage.a.run("VACUUM t")
        oracle.every_row(stage.a, query)
        oracle.check(stage.a)
        stage.a.run("DROP TABLE t")


def low_m_single_rows(stage):
    """m = 4, rows one by one, updated and deleted: none is lost."""
    stage.table(2)
    stage.index(options="WITH (m = 4, ef_construction = 16)")
    stage.a.run("SET vector_ext.insert_batch = 0")
    stage.load(1, zoo.rows("far_clusters", 2, 13, range(1, 2001)))
    oracle = stage.oracle("l2", 2)
    for turn in range(4):
        oracle.every_row(stage.a, "'[0,0]'")
        stage.a.run(f"UPDATE t SET v = v + '[0.01,0.02]' WHERE id % 4 = {turn}")
        stage.a.run(f"DELETE FROM t WHERE id % 11 = {turn}")
        if turn % 2:
            stage.a.run("VACUUM t")
    oracle.every_row(stage.a, "'[0,0]'")
    oracle.check(stage.a)


def every_prefix_of_a_clean_up(stage):
    """m = 2, most rows deleted again and again: wherever VACUUM stands, a scan without limits
    returns all rows, as it would if VACUUM ended there."""
    for seed in (16, 17):
        rng = np.random.default_rng(seed)
        stage.table(4)
        stage.index("cosine", "WITH (m = 2, ef_construction = 16)")
        stage.a.run("SET vector_ext.insert_batch = 0")
        watcher = stage.session()
        for group in (INDEXED, UNLIMITED):
            for name, value in group.items():
                watcher.run(f"SET {name} = {value}")
        for turn in range(8):
            rows = rng.random((1200, 4)) + 3 * (rng.random((1200, 1)) < 0.3)
            stage.load(1 + 10000 * turn, rows.astype(np.float32))
            stage.a.run(f"DELETE FROM t WHERE hashint8extended(id, {turn}) % 5 <> 2")
            _look_beside_vacuum(stage, watcher, 0.0015)
        stage.oracle("cosine").check(stage.a)
        watcher.close()
        stage.a.run("DROP TABLE t")


def _look_beside_vacuum(stage, watcher, seconds):
    there = int(stage.a.value("SELECT count(*) FROM t"))
    held = Held(stage.session(), "VACUUM t", seconds)
    try:
        while not held.is_done():
            found = int(held.beside(watcher, "SELECT count(DISTINCT id) FROM (SELECT id FROM t "
                                    "ORDER BY v <=> '[1,1,1,1]') x")[0][0])
            if found != there:
                raise Finding("a scan beside VACUUM lacks rows", f"{there - found} of {there}")
            stage.figures.add("searches compared")
            held.slice(seconds)
        held.finish()
    finally:
        held.release()
    stage.figures.add("vacuums")


def isolated_copies(stage):
    """25 isolated vectors of 30 copies each at m = 9, built and copied."""
    rows = np.repeat(np.random.default_rng(14).standard_normal((25, 6)) * 100, 30, axis=0)
    rows = np.random.default_rng(15).permutation(rows.astype(np.float32))
    oracle = stage.oracle("l2", 6)
    for turn in range(6):
        stage.table(6)
        if turn % 2 == 0:
            stage.load(1, rows)
        stage.index(options="WITH (m = 9, ef_construction = 64)")
        if turn % 2 == 1:
            stage.load(1, rows)
        oracle.own_vectors(stage.a, 100, turn)
        oracle.every_row(stage.a, "'[0,0,0,0,0,0]'")
        oracle.check(stage.a)
        stage.a.run("DROP TABLE t")


def recall_after_churn(stage, n=6000, dims=400, turns=20):
    """Recall after many rounds of updates is that of a fresh build."""
    rng = np.random.default_rng(16)
    ways = rng.standard_normal((24, dims))

    def draw(count):
        hidden = rng.standard_normal((count, 24))
        made = np.tanh(hidden @ ways / 5.0) + 0.3 * rng.standard_normal((count, dims))
        return made.astype(np.float32)

    stage.table(dims)
    stage.load(1, draw(n))
    stage.index("cosine")
    stage.a.run(f"CREATE TEMP TABLE fresh (id bigint, v vector({dims}))")
    for _ in range(turns):
        ids = rng.permutation(n)[:n // 10] + 1
        stage.a.run("TRUNCATE fresh")
        stage.a.copy("COPY fresh FROM STDIN", zoo.copy_text(ids, draw(len(ids)), ()))
        stage.a.run("UPDATE t SET v = f.v FROM fresh f WHERE f.id = t.id")
        stage.a.run("VACUUM t")
        stage.figures.add("vacuums")
    oracle = stage.oracle("cosine", dims)
    queries = ["'" + zoo.text(v) + "'" for v in draw(400)]

    def recall(ef):
        with settings(stage.a, {"hnsw.ef_search": str(ef)}):
            return oracle.recall(stage.a, queries)

    old = [recall(ef) for ef in (20, 40, 80)]
    stage.a.run("REINDEX INDEX t_v")
    new = [recall(ef) for ef in (20, 40, 80)]
    if any(before < after - 0.012 for before, after in zip(old, new)):
        raise Finding("recall after updates is below that of a fresh build", f"{old} < {new}")
    oracle.check(stage.a)


QUICK = (rows_beside_vacuum_of_all, single_rows_beside_vacuum_of_all,
         rows_beside_vacuum_of_a_cluster, entry_point_taken_over, write_skew_at_once,
         write_skew_gathered, write_skew_prepared, write_skew_full_queue, islands_of_a_build,
         islands_of_a_copy, islands_of_single_rows, islands_of_two_clusters, groups_lost_by_builds,
         second_order_key, sorted_plans, low_m, low_m_single_rows,
         every_prefix_of_a_clean_up, isolated_copies)
SLOW = (recall_after_churn,)


def run_danger(danger, cluster, figures):
    """Raises Finding where the danger is real."""
    stage = Stage(cluster, "danger", figures)
    try:
        danger(stage)
    except ServerError as error:
        raise Finding(f"error {error.sqlstate}: {error.message.splitlines()[0]}",
                      error.sql[:300]) from error
    finally:
        stage.close()
        figures.add("known dangers")
