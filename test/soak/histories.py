"""Histories of one session, and of two in turns: a table of the zoo and a list of steps.

A step is a dict of plain values, so that a history can be written down, run again, and be made
shorter. Each names its rows, and the shape, world and salt give them their vectors: a step means
the same whatever steps stand before it.
"""

import oracle
import zoo
from client import Hang, ServerError
from forms import Form
from oracle import INDEXED, UNLIMITED, Finding, Oracle, settings, snapshot, tell
from servers import Held

# What a statement may end with when the machine itself cancels it or lets sessions collide.
CANCELLED = {"57014"}
COLLISIONS = {"40001", "40P01", "55P03"}

# Recall of 40 queries may differ by this much by chance, the more the shorter lists are. Of 665 rows of
# seven clusters (8 dimensions, by cosine) a textbook graph with m = 4 finds 0.80 to 0.98, by the order
# they came in: a cluster that is missed is a seventh of the queries.
_RECALL_LOSS = {2: 0.5, 4: 0.3}
_RECALL_FLOORS = {2: 0.1, 4: 0.35, 8: 0.6}
# By inner product, and of strings of a few bits: queries that point away from the longest rows find
# few ways to the answers. Of 750 rows that drift a textbook graph (m = 24) finds 0.72 to 0.93 by
# inner product, by the order they came in.
_IP_RECALL_LOSS = 0.5
_IP_RECALL_FLOOR = 0.1
# Strings of many random bits lie equally far from each other. Of 1,500 or 3,000 rows of 1,000 bits a
# textbook graph (m = 16, ef_construction = 32) finds 0.73 or 0.48.
_RANDOM_BITS_RECALL_FLOOR = 0.35
# By cosine rows that drift are a cone, whose tip is near to all. Of 3,000 or 4,700 such rows a textbook
# graph (m = 8, ef_construction = 64) finds 0.72 or 0.66; a build in batches of 1 MB has had 0.41.
_CONE_RECALL_FLOOR = 0.35
# Rows of many uniform dimensions lie about equally far from each other. Of 3,000 or 5,000 of 300
# dimensions a textbook graph (m = 4, ef_construction = 16) finds 0.28 or 0.21.
_UNIFORM_RECALL_FLOOR = 0.1


class Runner:
    """Runs one history in a database of its own, and judges it after each step."""

    def __init__(self, cluster, database, history, figures, record=None):
        self.cluster = cluster
        self.database = database
        self.setup = history["setup"]
        self.steps = history["steps"]
        self.figures = figures
        self.record = record
        self.form = Form.of(self.setup)
        self.oracle = Oracle.of(figures, self.setup)
        self.main = self.other = None
        self.at = -1
        self.recall = self.fresh_recall = None
        self.has_index = False

    # --- the whole ---

    def run(self):
        """Raises Finding, or whatever the server reports that it should not."""
        self.cluster.new_database(self.database)
        try:
            self.main = self.session(self.record)
            self.other = None if self.setup["kind"] == "temp" else self.session()
            self.create_table()
            for self.at, step in enumerate(self.steps):
                self.step(step)
                self.figures.add("steps")
                if self.has_index and not self.main.in_transaction():
                    self.oracle.glance(self.main, [self.query(self.at)], self.at)
            if self.has_index:
                self.judge_at_rest()
        except ServerError as error:
            raise Finding(f"error {error.sqlstate}: {error.message.splitlines()[0]}",
                          error.sql[:300]) from error
        except Hang as hang:
            raise Finding("a statement cannot be cancelled", str(hang)) from hang
        finally:
            for session in (self.main, self.other):
                if session is not None:
                    session.close()
            self.cluster.drop_database(self.database)

    def judge_at_rest(self):
        """The whole judgement, before and after a vacuum; and recall beside that of a build."""
        queries = [self.query(i) for i in range(40)]
        self.oracle.judge(self.main, queries)
        # By itself a vacuum leaves a few dead rows in the index.
        self.main.run("VACUUM (INDEX_CLEANUP on) t")
        self.figures.add("vacuums")
        self.oracle.judge(self.main, queries)
        self.oracle.counts(self.main)
        with snapshot(self.main):
            self.recall = self.oracle.recall(self.main, queries)
        is_centroid_far = self.oracle.centroid_is_far(self.main)
        self.main.run("REINDEX INDEX t_v")
        self.oracle.judge(self.main, queries)
        with snapshot(self.main):
            self.fresh_recall = self.oracle.recall(self.main, queries)
        loss, floor = self._allowance()
        if is_centroid_far:
            self.recall = self.fresh_recall
        if self.recall < self.fresh_recall - loss:
            tell("recall is below that of a fresh build",
                 f"{self.recall:.3f} < {self.fresh_recall:.3f} at ef 40, 40 queries")
        if min(self.recall, self.fresh_recall) < floor:
            tell("recall is below its floor",
                 f"{self.recall:.3f}, {self.fresh_recall:.3f} after REINDEX; floor {floor}")

    def _allowance(self):
        """What recall may lose against a fresh build, and its floor."""
        m, shape = self.setup["m"], self.setup["shape"]
        if self.setup["metric"] == "ip" or shape == "few_bits":
            return _IP_RECALL_LOSS, _IP_RECALL_FLOOR
        loss, floor = _RECALL_LOSS.get(m, 0.1), _RECALL_FLOORS.get(m, 0.75)
        if oracle.has_near_ones(shape, self.setup["metric"]):
            loss += 0.15
        if oracle.is_cone(shape, self.setup["metric"]):
            floor = min(floor, _CONE_RECALL_FLOOR)
        if shape == "uniform" and self.setup["dims"] >= 256 and m <= 4:
            floor = min(floor, _UNIFORM_RECALL_FLOOR)
        if shape == "random_bits" and self.setup["dims"] >= 256:
            floor = min(floor, _RANDOM_BITS_RECALL_FLOOR)
        return loss, floor

    def session(self, record=None):
        session = self.cluster.session(self.database, record)
        session.run("SET client_min_messages = error")
        session.run("LOAD 'vector_ext'")
        session.run(f"SET vector_ext.insert_batch = '{self.setup['insert_batch']}'")
        session.run(f"SET maintenance_work_mem = '{self.setup['maintenance_work_mem']}'")
        session.run(f"SET max_parallel_maintenance_workers = {self.setup['workers']}")
        session.run("SET min_parallel_table_scan_size = 0")
        return session

    def create_table(self):
        kind = {"plain": "TABLE", "unlogged": "UNLOGGED TABLE", "temp": "TEMP TABLE",
                "partitioned": "TABLE"}[self.setup["kind"]]
        columns = f"id bigint PRIMARY KEY, c int, k int, v {self.form.sql}"
        if self.setup["kind"] == "partitioned":
            self.main.run(f"CREATE TABLE t ({columns}) PARTITION BY HASH (id)")
            for i in range(3):
                self.main.run(f"CREATE TABLE t{i} PARTITION OF t "
                              f"FOR VALUES WITH (MODULUS 3, REMAINDER {i})")
        else:
            self.main.run(f"CREATE {kind} t ({columns}) "
                          f"WITH (fillfactor = {self.setup['fillfactor']})")
        self.main.run(f"ALTER TABLE t ALTER v SET STORAGE {self.setup['storage']}")
        self.main.run("CREATE INDEX t_k ON t (k)")
        if self.setup["kind"] != "partitioned":
            self.main.run(f"ALTER TABLE t SET (parallel_workers = {self.setup['workers']})")

    def create_index(self, session, name="t_v", how=""):
        session.run(self.index_text(name, how))

    def index_text(self, name, how):
        method = self.setup.get("method", "hnsw")
        options = f"m = {self.setup['m']}, ef_construction = {self.setup['ef_construction']}"
        if method == "ivfflat":
            options = "lists = 10"
        return (f"CREATE INDEX {how} {name} ON t USING {method} "
                f"(v {self.form.opclass(self.setup['metric'])}) WITH ({options})")

    # --- what steps need ---

    def vectors(self, ids, salt=0):
        return zoo.rows(self.setup["shape"], self.setup["dims"], self.setup["world"], ids, salt)

    def query(self, number):
        """A query: a vector of the shape that is no row's."""
        return self.form.literal(self.vectors([number], 1 << 20)[0])

    def step(self, step, session=None):
        session = session or self.main
        getattr(self, "do_" + step["op"].replace(" ", "_"))(session, step)

    def load(self, session, table, ids, salt, binary=False):
        vectors = self.vectors(ids, salt)
        columns = ([i % 7 for i in ids], [i % 101 for i in ids])
        if binary:
            session.copy(f"COPY {table} (id, c, k, v) FROM STDIN (FORMAT binary)",
                         zoo.copy_binary(ids, vectors, columns, self.form))
        else:
            session.copy(f"COPY {table} (id, c, k, v) FROM STDIN",
                         zoo.copy_text(ids, vectors, columns, self.form))

    def fill_fresh(self, session, ids, salt):
        session.run("CREATE TEMP TABLE IF NOT EXISTS fresh "
                    f"(id bigint, c int, k int, v {self.form.sql})")
        session.run("DELETE FROM fresh")
        self.load(session, "fresh", ids, salt)

    # --- steps ---

    def do_index(self, session, _step):
        self.create_index(session)
        self.has_index = True

    def do_run(self, session, step):
        session.run(step["sql"])
        self.figures.add("vacuums" if step["sql"].startswith("VACUUM") else "statements")

    def do_insert(self, session, step):
        ids = list(range(step["first"], step["first"] + step["n"]))
        self.figures.add("rows written", len(ids))
        self.figures.add("statements")
        if step["how"] in ("copy", "copy binary"):
            self.load(session, "t", ids, 0, step["how"] == "copy binary")
        elif step["how"] == "select":
            self.fill_fresh(session, ids, 0)
            session.run("INSERT INTO t SELECT * FROM fresh")
        else:
            self.insert_values(session, ids, step["how"] == "one by one")

    def insert_values(self, session, ids, one_by_one):
        values = [f"({key}, {key % 7}, {key % 101}, {self.form.literal(vector)})"
                  for key, vector in zip(ids, self.vectors(ids))]
        if one_by_one:
            for value in values:
                session.run("INSERT INTO t VALUES " + value)
        else:
            session.run("INSERT INTO t VALUES " + ", ".join(values))

    def do_update_vector(self, session, step):
        rows = session.rows(f"SELECT id FROM t WHERE {step['where']} ORDER BY id "
                            f"LIMIT {step['most']}")
        ids = [int(row[0]) for row in rows]
        if ids:
            self.fill_fresh(session, ids, step["salt"])
            session.run("UPDATE t SET v = f.v FROM fresh f WHERE f.id = t.id")
            self.figures.add("rows written", len(ids))
        self.figures.add("statements")

    def do_delete_near(self, session, step):
        query = self.query(step["query"])
        session.run("DELETE FROM t WHERE id IN (SELECT id FROM (SELECT id, "
                    f"{self.oracle.distance(query)} AS d FROM t OFFSET 0) x ORDER BY d, id "
                    f"LIMIT {step['n']})")
        self.figures.add("statements")

    def do_conflict(self, session, step):
        ids = list(range(step["first"], step["first"] + step["n"]))
        self.fill_fresh(session, ids, step["salt"])
        session.run("INSERT INTO t SELECT * FROM fresh ON CONFLICT (id) DO " + step["then"])
        self.figures.add("statements")

    def do_upsert(self, session, step):
        ids = list(range(step["first"], step["first"] + step["n"]))
        session.run("BEGIN")
        session.run("SELECT vector_stage_for('t', 'stage')")
        self.load(session, "stage", ids, step["salt"], True)
        session.run("SELECT inserted FROM vector_bulk_upsert('t', 'stage', "
                    f"'{step['on_conflict']}')")
        session.run("COMMIT")
        self.figures.add("rows written", len(ids))
        self.figures.add("upserts")

    def do_transaction(self, session, step):
        # A transaction that has used a temporary table cannot be prepared.
        prepares = step["end"].startswith("prepare") and self.setup["kind"] != "temp"
        session.run("BEGIN")
        self.n_savepoints = 0
        for inner in step["steps"]:
            if prepares and (inner["op"] in ("update vector", "conflict")
                             or inner.get("how") == "select"):
                continue
            self.step(inner, session)
        if not prepares:
            rolls_back = step["end"] in ("ROLLBACK", "prepare, roll back")
            session.run("ROLLBACK" if rolls_back else "COMMIT")
        else:
            name = f"soak_{self.database}"
            session.run(f"PREPARE TRANSACTION '{name}'")
            ending = "COMMIT" if step["end"] == "prepare, commit" else "ROLLBACK"
            session.run(f"{ending} PREPARED '{name}'")
            self.figures.add("prepared transactions")
        self.figures.add("transactions")

    def do_savepoint(self, session, _step):
        session.run("SAVEPOINT s")
        self.n_savepoints += 1

    def do_back(self, session, step):
        if self.n_savepoints:
            session.run(step["how"])
            self.n_savepoints -= step["how"] == "RELEASE s"

    def do_look(self, session, step):
        if self.has_index:
            self.oracle.glance(session, [self.query(step["salt"])], step["salt"])

    def do_exceptions(self, session, step):
        """Blocks of so many rows each, some of which are taken back."""
        rows = step.get("rows", 1)
        lines = []
        for i in range(step["n"]):
            first = step["first"] + i * rows
            ids = list(range(first, first + rows))
            values = ", ".join(f"({key}, 0, 0, {self.form.literal(vector)})"
                               for key, vector in zip(ids, self.vectors(ids)))
            statement = f"INSERT INTO t VALUES {values};"
            if i % step["bad"] == 0:
                lines.append(f"BEGIN {statement} PERFORM 1 / 0; "
                             "EXCEPTION WHEN division_by_zero THEN NULL; END;")
            else:
                lines.append(statement)
        session.run("DO $$ BEGIN " + "\n".join(lines) + " END $$")
        self.figures.add("statements")

    def do_other_vacuum(self, _session, _step):
        """Beside a transaction that goes on."""
        if self.other is not None:
            self.other.run("VACUUM (INDEX_CLEANUP on) t")
            self.figures.add("vacuums")

    def do_cut_in_savepoint(self, session, step):
        """What a cancelled flush leaves of the rows from before the savepoint comes in once."""
        if not self.has_index or self.other is None:
            return
        session.run("BEGIN")
        self.do_insert(session, step["outer"])
        session.run("SAVEPOINT s")
        self.do_insert(session, step["inner"])
        self.held = Held(session, "SELECT sum(nodes) FROM unnest($${"
                         + ",".join(self.oracle.indexes(self.other))
                         + "}$$::regclass[]) i, hnsw_info(i)")
        try:
            for _ in range(step["slices"]):
                self.held.slice()
            if step["vacuum"] == "beside":
                with self.held.standing(self.other):
                    self.do_other_vacuum(session, step)
            for inner in step["writes"]:
                self.beside_one(self.other, inner)
            error = self.end_held(True)
        finally:
            self.held.release()
        if error is not None and error.sqlstate not in CANCELLED:
            raise error
        if step["vacuum"] == "after":
            self.do_other_vacuum(session, step)
        if error is not None:
            session.run("ROLLBACK TO s")
            self.do_other_vacuum(session, step)
        self.do_insert(session, step["later"])
        session.run(step["end"])
        self.figures.add("transactions")

    def do_cursor(self, session, step):
        """A cursor that is open while rows come gives what was there before, each row once."""
        if not self.has_index:
            return
        query = self.query(step["query"])
        session.run("BEGIN")
        with settings(session, INDEXED, UNLIMITED if step["relaxed"] else {}):
            session.run(f"DECLARE r CURSOR FOR SELECT id, {self.oracle.distance(query)} FROM t "
                        f"ORDER BY {self.oracle.distance(query)}")
            found = session.rows("FETCH 5 FROM r")
            self.do_insert(session, step["insert"])
            session.run("DELETE FROM t WHERE id % 10 = 3")
            found += session.rows("FETCH ALL FROM r")
        ids = [int(row[0]) for row in found]
        new = set(range(step["insert"]["first"], step["insert"]["first"] + step["insert"]["n"]))
        if len(ids) != len(set(ids)):
            tell("a row comes twice", "from a cursor")
        if new & set(ids):
            tell("a row comes that is not there", f"from a cursor: {new & set(ids)}")
        session.run("COMMIT")
        self.figures.add("cursors")

    def dead_nodes(self):
        """Whether a clean-up that is under way has marked nodes dead."""
        rows = self.held.beside(self.watcher, "SELECT sum(dead) FROM (SELECT (hnsw_info(i)).dead "
                                "FROM unnest($$%s$$::regclass[]) i) x" % self.index_array)
        return int(rows[0][0] or 0) > 0

    def phase_is(self, phase):
        rows = self.held.beside(self.watcher, "SELECT count(*) FROM pg_stat_progress_vacuum "
                                f"WHERE phase = '{phase}'")
        return rows[0][0] != "0"

    def do_beside(self, session, step):
        """Writes while another statement stands half-way."""
        if not self.has_index or self.other is None:
            return
        if "concurrently" in step["slow"].lower() and self.setup["kind"] == "partitioned":
            return
        self.index_array = "{" + ",".join(self.oracle.indexes(session)) + "}"
        self.watcher = self.session()
        self.held = self.hold(step)
        try:
            if step["wait"] == "dead":
                self.held.run_until(self.dead_nodes)
            elif step["wait"]:
                self.held.run_until(lambda: self.phase_is(step["wait"]))
            for _ in range(step["slices"]):
                self.held.slice()
            for inner in step["steps"]:
                self.beside_one(session, inner)
            error = self.end_held(step["cancel"])
        finally:
            self.held.release()
            self.watcher.close()
        allowed = COLLISIONS | (CANCELLED if step["cancel"] else set())
        if error is not None and error.sqlstate not in allowed:
            raise error
        self.figures.add("statements beside others", len(step["steps"]))
        if step["slow"].startswith("VACUUM"):
            self.figures.add("vacuums")
        if error is not None:
            self.after_cut(session)
        elif step["slow"] == "create concurrently":
            session.run("DROP INDEX t_v; ALTER INDEX t_w RENAME TO t_v")

    def hold(self, step):
        if step["slow"] == "create concurrently":
            return Held(self.other, self.index_text("t_w", "CONCURRENTLY"))
        if step["slow"] != "insert":
            return Held(self.other, step["slow"])
        ids = list(range(step["insert"]["first"], step["insert"]["first"] + step["insert"]["n"]))
        values = ", ".join(f"({key}, 0, 0, {self.form.literal(vector)})"
                           for key, vector in zip(ids, self.vectors(ids)))
        self.figures.add("rows written", len(ids))
        return Held(self.other, "INSERT INTO t VALUES " + values)

    def beside_one(self, session, inner):
        """One step while the held statement stands still, as far as that goes."""
        try:
            with self.held.standing(session):
                self.step(inner, session)
        except ServerError as error:
            if error.sqlstate not in COLLISIONS:
                raise
        self.held.slice()

    def end_held(self, cancel):
        try:
            self.held.finish(cancel)
            return None
        except ServerError as error:
            if cancel:
                self.figures.add("cancels")
            return error

    def after_cut(self, session):
        """What a REINDEX CONCURRENTLY leaves when it is cancelled is the user's to drop; it may be
        valid, and then the planner takes now one index, now the other."""
        for name in session.rows("SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = "
                                 "i.indexrelid WHERE c.relkind = 'i' AND (NOT i.indisvalid OR "
                                 "c.relname ~ '_cc(new|old)')"):
            session.run(f"DROP INDEX IF EXISTS {name[0]}")

    def do_cut(self, session, step):
        """A statement that is cancelled half-way."""
        if not self.has_index or self.other is None:
            return
        self.held = self.hold(step)
        try:
            for _ in range(step["slices"]):
                self.held.slice()
            error = self.end_held(True)
        finally:
            self.held.release()
        if error is not None and error.sqlstate not in CANCELLED:
            raise error
        self.after_cut(session)

    def do_skew(self, session, step):
        """Two serializable transactions look for a near vector, find none, and insert one."""
        is_tied = self.form.is_tied(self.setup["metric"])
        if not self.has_index or self.other is None or is_tied:
            return
        where = self.form.literal(self.form.far(step["place"]))
        look = (f"SELECT count(*) FROM (SELECT id FROM t ORDER BY {self.oracle.distance(where)} "
                f"LIMIT 1) x WHERE id BETWEEN {step['first']} AND {step['first'] + 399}")
        failed = []
        for session_ in (session, self.other):
            for name, value in INDEXED.items():
                session_.run(f"SET {name} = {value}")
            session_.run(f"SET vector_ext.insert_batch = '{step['batch']}'")
            session_.run("BEGIN ISOLATION LEVEL SERIALIZABLE")
        saw = []
        for i, session_ in enumerate((session, self.other)):
            first = step["first"] + 200 * i
            try:
                saw.append(session_.value(look))
                session_.run(f"INSERT INTO t SELECT i, 0, 0, {where}::{self.form.sql} FROM "
                             f"generate_series({first}, {first + step['more']}) i")
            except ServerError as error:
                if error.sqlstate != "40001":
                    raise
                failed.append(i)
        for i, session_ in enumerate((session, self.other)):
            failed += self.end_skew(session_, i, step["prepare"])
            session_.run("RESET ALL")
            self.reset(session_)
        self.figures.add("serializable pairs")
        # A search that misses the first one's rows at any time reads nothing that they change.
        first, last = step["first"], step["first"] + 399
        session.run(f"DELETE FROM t WHERE id BETWEEN {first + 200} AND {last}")
        with settings(session, INDEXED):
            is_found = session.value(look) != "0"
        if saw == ["0", "0"] and not failed and is_found:
            tell("write skew: two serializable transactions that exclude each other",
                          f"both committed, insert_batch {step['batch']}, {step['more'] + 1} rows, "
                          f"prepared: {step['prepare']}")
        session.run(f"DELETE FROM t WHERE id BETWEEN {first} AND {last}")

    def reset(self, session):
        session.run("SET client_min_messages = error")
        session.run(f"SET vector_ext.insert_batch = '{self.setup['insert_batch']}'")
        session.run(f"SET maintenance_work_mem = '{self.setup['maintenance_work_mem']}'")
        session.run(f"SET max_parallel_maintenance_workers = {self.setup['workers']}")
        session.run("SET min_parallel_table_scan_size = 0")

    def end_skew(self, session, i, prepare):
        name = f"skew_{self.database}_{i}"
        try:
            if not session.in_transaction():
                return [i]
            if prepare:
                session.run(f"PREPARE TRANSACTION '{name}'")
                session.run(f"COMMIT PREPARED '{name}'")
            else:
                session.run("COMMIT")
        except ServerError as error:
            session.attempt("ROLLBACK")
            if error.sqlstate in ("40001", "42704"):
                return [i]
            raise
        return []

    def do_rebuild(self, session, step):
        if not self.has_index:
            return
        how = step["how"]
        if self.setup["kind"] in ("partitioned", "temp") and "oncurrently" in how.lower():
            how = "REINDEX INDEX t_v"
        self.figures.add("rebuilds")
        if how.startswith("REINDEX"):
            session.run(how)
        else:
            session.run("DROP INDEX t_v")
            self.create_index(session, how="CONCURRENTLY" if how.endswith("concurrently") else "")
