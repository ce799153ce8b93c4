"""Histories of many sessions at once: writers, vacuum, searches here and on a standby, cancels,
kills. What each session does follows from the seed; how they meet does not.

Beside writers a search may miss a row for a moment, because a node it stood on was freed: what is
missed again and again is lost. At rest, everything is judged.
"""

import contextlib
import os
import random
import signal
import threading
import time

import histories
import writer
from client import Hang, ServerError
from oracle import EXACT, INDEXED, UNLIMITED, Finding, Oracle, settings, snapshot, tell

# What a statement may end in while others collide with it, cancel it, or kill the server.
_LEGITIMATE = {"40001", "40P01", "55P03", "23505", "57014", "57P01", "57P02", "57P03", "08006",
               "25P02", "55000", "42704", "42P07"}

_TRIES = 4
_IDS_OF_A_WRITER = 1000000

PAGE_BYTES = 8192
LSN_BYTES = 8  # at the start of a page


class Crowd:
    def __init__(self, primary, standby, database, seed, seconds, figures, kills=True):
        self.primary = primary
        self.standby = standby
        self.database = database
        self.seed = seed
        self.seconds = seconds
        self.figures = figures
        self.kills = kills
        self.random = random.Random(seed)
        kinds = ("plain", "plain", "partitioned")
        self.setup = writer.random_setup(self.random, kinds)
        self.oracle = Oracle.of(figures, self.setup)
        self.end = None
        self.findings = []
        self.pids = {}
        self.writers = {}
        self.n_rows = 600 if self.setup["dims"] >= 64 else 1500

    # --- the whole ---

    def run(self):
        self.primary.new_database(self.database)
        history = {"setup": self.setup, "steps": []}
        self.maker = histories.Runner(self.primary, self.database, history, self.figures)
        main = self.maker.main = self.maker.session()
        self.maker.create_table()
        self.maker.do_insert(main, {"first": 1, "n": self.n_rows, "how": "copy"})
        self.maker.create_index(main)
        self.end = time.monotonic() + self.seconds
        names = ["writer 1", "writer 2", "writer 3", "vacuum", "searcher", "meddler"]
        if self.standby:
            self._catch_up()
            names.append("standby searcher")
        threads = [threading.Thread(target=self._thread, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(1.0)
                self._end_forgotten()
        if self.findings:
            raise self.findings[0]
        main.close()
        self.at_rest()

    def _end_forgotten(self):
        """A transaction whose session was killed once it was prepared holds locks until it ends."""
        try:
            session = self.primary.session(self.database)
            self._finish_prepared(session, "AND prepared < now() - interval '3 s'")
            session.close()
        except ServerError:
            pass

    def describe(self):
        return f"seed {self.seed}, {self.setup}"

    def _thread(self, name):
        role = name.split()[0]
        rng = random.Random(f"{self.seed} {name}")
        session = None
        while time.monotonic() < self.end and not self.findings:
            try:
                if session is None:
                    session = self._session(name)
                getattr(self, "_" + role)(session, rng, name)
            except ServerError as error:
                self._after_error(error)
                session = self._still_good(session)
            except (Finding, Hang) as finding:
                self._found(finding)
            except RuntimeError as error:
                self._found(Finding("a server did not start", str(error)))
        self.pids.pop(name, None)
        if session is not None:
            session.close()

    def _found(self, finding):
        if isinstance(finding, Hang):
            finding = Finding("a statement hangs", str(finding))
        self.findings.append(finding)

    def _after_error(self, error):
        self.figures.add("errors that may be: " + error.sqlstate)
        if error.sqlstate not in _LEGITIMATE:
            self._found(Finding(f"error {error.sqlstate}: {error.message.splitlines()[0]}",
                                error.sql[:300]))

    def _still_good(self, session):
        """The session ready for a next statement, or None."""
        if session is None:
            time.sleep(0.1)
            return None
        try:
            if session.in_transaction():
                session.run("ROLLBACK")
            session.run("RESET ALL")
            self.maker.reset(session)
            return session
        except ServerError:
            session.close()
            time.sleep(0.1)
            return None

    def _session(self, name):
        if name.startswith("standby"):
            session = self.standby.session(self.database)
        else:
            session = self.maker.session()
            self.pids[name] = session.pid
        return session

    # --- roles ---

    def _writer(self, session, rng, name):
        """Steps as in a history, each writer with ids of its own and some of the others'."""
        number = int(name[-1])
        if number not in self.writers:
            self.writers[number] = writer.Writer(rng, self.setup, self.n_rows)
            self.writers[number].next_id = number * _IDS_OF_A_WRITER
        draw = self.writers[number]
        step = rng.choices(
            (draw._insert, draw._update_vector, draw._update_other, draw._delete,
             draw._delete_near, draw._conflict, draw._upsert, draw._exceptions,
             self._swallow), (8, 5, 3, 3, 2, 2, 2, 1, 1))[0]()
        if rng.random() < 0.3:
            self._in_transaction(session, step, rng, number)
        else:
            self._do(session, step)

    def _swallow(self):
        """Most rows go at once, so that vacuum has much to take out."""
        return {"op": "run", "sql": "DELETE FROM t WHERE id % 5 <> 2"}

    def _do(self, session, step):
        runner = histories.Runner(self.primary, self.database, {"setup": self.setup, "steps": []},
                                  self.figures)
        runner.has_index = True
        runner.step(step, session)

    def _in_transaction(self, session, step, rng, number):
        if step["op"] == "upsert":
            return
        prepares = rng.random() < 0.3 and step["op"] in ("insert", "run") and \
            step.get("how") != "select"
        session.run("BEGIN ISOLATION LEVEL " + rng.choice(
            ("READ COMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")))
        self._do(session, step)
        if rng.random() < 0.3:
            session.run("SAVEPOINT s")
        if not prepares:
            session.run(rng.choice(("COMMIT", "COMMIT", "ROLLBACK")))
            return
        name = f"crowd_{self.seed}_{number}_{rng.randrange(1 << 30)}"
        session.run(f"PREPARE TRANSACTION '{name}'")
        session.run(f"COMMIT PREPARED '{name}'")
        self.figures.add("prepared transactions")

    def _vacuum(self, session, rng, _name):
        time.sleep(rng.random() * 0.3)
        session.run(rng.choices(
            ("VACUUM t", "VACUUM (INDEX_CLEANUP on) t", "VACUUM FULL t",
             "REINDEX INDEX CONCURRENTLY t_v"), (6, 6, 1, 1))[0])
        self.figures.add("vacuums")

    def _query(self, rng):
        return self.maker.query(rng.randrange(100000))

    def _searcher(self, session, rng, _name):
        """Rows that are missed in each of several snapshots are lost."""
        missing = None
        query = self._query(rng)
        for _ in range(_TRIES):
            with snapshot(session):
                with settings(session, INDEXED, UNLIMITED):
                    found, _ = self.oracle.by_index(session, query, 100000000)
                with settings(session, EXACT):
                    there, _ = self.oracle.exactly(session, query, 100000000)
                self.oracle._same_rows(found, there, query, may_lack=True)
            lacks = set(there) - set(found)
            missing = lacks if missing is None else missing & lacks
            if not missing:
                break
            time.sleep(0.2)
        if missing:
            tell("rows are missed again and again beside writers",
                 f"{len(missing)} of {len(there)}: {sorted(missing)[:10]}")
        with snapshot(session):
            with settings(session, {"enable_hashagg": "off"}):
                self.oracle.order(session, query)
        time.sleep(rng.random() * 0.1)

    def _standby(self, session, rng, name):
        self._searcher(session, rng, name)
        self.figures.add("rounds of searches on a standby")

    def _meddler(self, session, rng, _name):
        """Cancels statements; now and then kills a backend or the whole server."""
        time.sleep(rng.random() * 0.25)
        names = [name for name in ("writer 1", "writer 2", "writer 3", "vacuum", "searcher")
                 if name in self.pids]
        pid = self.pids.get(rng.choice(names)) if names else None
        if pid is None:
            return
        draw = rng.random()
        if not self.kills or draw < 0.97:
            session.run(f"SELECT pg_cancel_backend({pid})")
            self.figures.add("cancels")
        elif draw < 0.99:
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
                os.kill(pid, signal.SIGKILL)
            self.figures.add("kills of a backend")
            time.sleep(1.0)
        else:
            self.primary.kill()
            self.figures.add("kills of the server")

    # --- at rest ---

    def _catch_up(self):
        session = self.primary.session()
        lsn = session.value("SELECT pg_current_wal_insert_lsn()")
        session.close()
        if not self.standby.wait_for(lsn):
            tell("the standby does not follow",
                 f"up to {lsn}; its log: {self.standby.last_lines()}")

    def _queries(self):
        return [self.maker.query(i) for i in range(40)]

    def _finish_prepared(self, session, which=""):
        for row in session.rows("SELECT gid FROM pg_prepared_xacts "
                                f"WHERE database = '{self.database}' {which}"):
            session.run(f"ROLLBACK PREPARED '{row[0]}'")

    def at_rest(self):
        session = self.maker.main = self.maker.session()
        self._finish_prepared(session)
        self.maker.after_cut(session)
        self.oracle.judge(session, self._queries())
        if self.standby:
            self._judge_standby(session)
        self.maker.has_index = True
        self.maker.judge_at_rest()
        if self.standby:
            self._judge_standby(session)
        session.close()

    def _judge_standby(self, session):
        """The standby gives what it should, and the same rows as the primary."""
        self._catch_up()
        self._compare_pages(session)
        there = self.standby.session(self.database)
        there.run("LOAD 'vector_ext'")
        queries = self._queries()
        self.oracle.judge(there, queries)
        for query in queries:
            with settings(session, INDEXED):
                here = self.oracle.by_index(session, query, 20)
            with settings(there, INDEXED):
                found = self.oracle.by_index(there, query, 20)
            # As texts: NaN, the cosine distance of a zero vector, is not equal to itself.
            if str(found) != str(here):
                tell("a standby answers otherwise than its primary",
                     f"{query[:80]}: {self._differing(session, there, here, found)}")
            self.figures.add("standby queries", 1)
        there.close()

    @staticmethod
    def _differing(session, there, here, found):
        """Where two answers part, and what each server says of the rows that only one gave."""
        texts = [f"{len(here[0])} and {len(found[0])} rows",
                 str([(a, b) for a, b in zip(zip(*here), zip(*found)) if a != b][:3])]
        ids = sorted(set(here[0]) ^ set(found[0]))[:5]
        for name, at in (("primary", session), ("standby", there)):
            with settings(at, EXACT):
                rows = at.rows("SELECT id, ctid, xmin, xmax, pg_xact_status(xmin::text::xid8), "
                               "pg_current_snapshot() FROM t WHERE id = ANY "
                               f"('{{{','.join(map(str, ids))}}}')") if ids else []
            texts.append(f"{name}: {rows}")
        return "; ".join(texts)

    def _compare_pages(self, session):
        """The pages of the index on the standby are those of the primary, byte for byte, but for
        the number that orders changes, and pages that a writer added and never wrote."""
        for index in self.oracle.indexes(session):
            path = session.value(f"SELECT pg_relation_filepath('{index}')")
            self._compare_files(path)

    def _compare_files(self, path):
        pages = []
        for cluster in (self.primary, self.standby):
            checkpointer = cluster.session()
            checkpointer.run("CHECKPOINT")
            checkpointer.close()
            self._catch_up()
            with open(os.path.join(cluster.data, path), "rb") as file:
                pages.append(file.read())
        longest = max(map(len, pages))
        pages = [data.ljust(longest, b"\0") for data in pages]
        differing = [n for n in range(longest // PAGE_BYTES)
                     if len({data[n * PAGE_BYTES + LSN_BYTES:(n + 1) * PAGE_BYTES]
                             for data in pages}) > 1]
        if differing:
            folder = os.path.join(os.path.dirname(os.path.dirname(self.primary.data)), "findings")
            for name, data in zip(("primary", "standby"), pages):
                with open(os.path.join(folder, f"pages of the {name}"), "wb") as file:
                    file.write(data)
            tell("a standby has other pages than its primary", f"blocks {differing[:10]} of {path}")
        self.figures.add("pages compared with a standby's", longest // PAGE_BYTES)


def promote_and_judge(standby, crowd):
    """A promoted standby searches, takes rows, and is judged as any server."""
    standby.promote()
    maker = crowd.maker
    maker.cluster = standby
    session = maker.main = maker.session()
    crowd._finish_prepared(session)
    crowd.oracle.judge(session, crowd._queries())
    maker.do_insert(session, {"first": 9000001, "n": 300, "how": "copy"})
    session.run("DELETE FROM t WHERE id % 3 = 0")
    session.run("VACUUM t")
    maker.judge_at_rest()
    session.close()
    crowd.figures.add("promotions")
