"""bulk_build_index: transactions, and what a fault leaves behind."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psycopg
from psycopg.rows import dict_row

import vector_ext
from base import Case, random_vectors
from vector_ext import BulkError, bulk_build_index, bulk_query_index


class Transactions(Case):
    def test_idle_connection_is_committed(self):
        for autocommit in (False, True):
            with psycopg.connect(self.dsn, autocommit=autocommit, row_factory=dict_row) as conn:
                bulk_build_index(np.zeros((3, 2)), "items", conn=conn)
                self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)
                self.assertEqual(self.value("SELECT count(*) FROM items"), 3)
                self.sql("DROP TABLE items")

    def test_callers_transaction_is_not_committed(self):
        with psycopg.connect(self.dsn) as conn:
            conn.execute("SET LOCAL maintenance_work_mem = '77MB'")
            conn.execute("SET LOCAL max_parallel_maintenance_workers = 1")
            bulk_build_index(random_vectors(30, 2), "items", conn=conn, threads=1,
                             maintenance_work_mem="40MB")
            bulk_query_index("items", [0, 0], ef_search=77, conn=conn)
            self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.INTRANS)
            self.assertFalse(self.exists("items"))
            for name, value in (("maintenance_work_mem", "77MB"),
                                ("max_parallel_maintenance_workers", "1"),
                                ("hnsw.ef_search", "40"), ("enable_indexscan", "on")):
                self.assertEqual(conn.execute(f"SHOW {name}").fetchone()[0], value)
            self.assertEqual(conn.execute("SELECT count(*) FROM items").fetchone()[0], 30)
            conn.rollback()
        self.assertFalse(self.exists("items"))

    def test_rows_of_callers_transaction_have_its_identifier(self):
        # A savepoint would have one of its own; none is set.
        bulk_build_index(random_vectors(300, 4), "items")
        with psycopg.connect(self.dsn) as conn:
            conn.execute("SELECT 1")
            bulk_build_index(random_vectors(300, 4), "items", conn=conn)
            self.assertTrue(conn.execute(
                "SELECT every(xmin = pg_current_xact_id()::xid) FROM items WHERE id >= 300"
            ).fetchone()[0])

    def test_error_in_callers_transaction(self):
        with psycopg.connect(self.dsn) as conn:
            conn.execute("CREATE TABLE mine (a int)")
            with self.assertRaises(BulkError):
                bulk_build_index([[1, 2], None], "items", conn=conn)
            self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
            with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
                bulk_build_index([[1, 2]], "items", conn=conn)
            with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
                bulk_query_index("items", [1, 2], conn=conn)
            conn.rollback()
        self.assertFalse(self.exists("mine"))

    def test_inside_a_block_of_psycopg(self):
        with psycopg.connect(self.dsn) as conn:
            with conn.transaction():
                with self.assertRaises(BulkError):
                    with conn.transaction():
                        bulk_build_index([[1, 2], None], "items", conn=conn)
                bulk_build_index([[1, 2]], "items", conn=conn)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 1)

    def test_nobody_sees_rows_before_the_end(self):
        seen = []
        bulk_build_index(random_vectors(10, 2), "items")
        bulk_build_index(random_vectors(2000, 2), "items", progress=lambda *call: seen.append(
            self.value("SELECT count(*) FROM items")))
        self.assertEqual(set(seen), {10})

    def test_connections_that_cannot_be_used(self):
        closed = psycopg.connect(self.dsn)
        closed.close()
        with self.assertRaises(psycopg.OperationalError):
            bulk_build_index([[1, 2]], "items", conn=closed)
        with psycopg.connect(self.dsn) as conn, conn.pipeline():
            with self.assertRaises(psycopg.NotSupportedError):
                bulk_build_index([[1, 2]], "items", conn=conn)
        with self.assertRaises(psycopg.OperationalError):
            bulk_build_index([[1, 2]], "items", conn="host=/nowhere")
        for wrong in (5, object()):
            with self.assertRaises(TypeError):
                bulk_build_index([[1, 2]], "items", conn=wrong)
        self.assertFalse(self.exists("items"))

    def test_server_goes_away(self):
        with psycopg.connect(self.dsn) as conn:
            pid = conn.info.backend_pid

            def kill(read, inserted, rejected, total):
                if read == 2000:
                    self.sql("SELECT pg_terminate_backend(%s, 10000)", [pid])

            with self.assertRaises(psycopg.OperationalError) as caught:
                bulk_build_index(random_vectors(200_000, 16), "items", conn=conn, progress=kill)
        self.assertIsInstance(caught.exception, BulkError)
        self.assertGreaterEqual(caught.exception.report.sent, 2000)
        self.assertFalse(self.exists("items"))

    def test_cancelled_from_elsewhere(self):
        with psycopg.connect(self.dsn) as conn:
            pid = conn.info.backend_pid

            def cancel(read, inserted, rejected, total):
                if read == 2000:
                    self.sql("SELECT pg_cancel_backend(%s)", [pid])

            with self.assertRaises(psycopg.errors.QueryCanceled) as caught:
                bulk_build_index(random_vectors(50_000, 16), "items", conn=conn, progress=cancel)
            self.assertEqual(caught.exception.sqlstate, "57014")
            bulk_build_index(random_vectors(5, 16), "items", conn=conn)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 5)

    def test_client_is_killed(self):
        folder = os.path.dirname(os.path.dirname(vector_ext.__file__))
        program = ("import itertools, vector_ext\n"
                   "vector_ext.bulk_build_index(itertools.repeat([1, 2]), 'items', "
                   "conn='application_name=killed', progress=lambda *call: print(call, flush=True))")
        with subprocess.Popen([sys.executable, "-c", program], cwd=folder, text=True,
                              stdout=subprocess.PIPE) as process:
            for _ in range(3):
                self.assertIn("000", process.stdout.readline())
            process.kill()
        while self.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'killed'"):
            time.sleep(0.01)
        self.assertFalse(self.exists("items"))

    def test_interrupt_while_the_server_works(self):
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, v vector(2))")
        self.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN PERFORM pg_sleep(600); RETURN new; END'")
        self.sql("CREATE TRIGGER slow BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION slow()")
        folder = os.path.dirname(os.path.dirname(vector_ext.__file__))
        with subprocess.Popen(
                [sys.executable, "-c", "import vector_ext\n"
                 "vector_ext.bulk_build_index([[1, 2]], 'items', conn='application_name=slow')"],
                cwd=folder, stderr=subprocess.PIPE, text=True) as process:
            asleep = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'slow' AND wait_event = "
            while not self.sql(asleep + "'PgSleep'"):
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            self.assertTrue(process.communicate(timeout=60)[1].endswith("KeyboardInterrupt\n"))
        while self.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'slow'"):
            time.sleep(0.01)
        self.assertEqual(self.sql("SELECT * FROM items"), [])

    def test_fault_of_commit(self):
        self.sql("CREATE TABLE parents (id bigint PRIMARY KEY)")
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY REFERENCES parents "
                 "DEFERRABLE INITIALLY DEFERRED, embedding vector(2))")
        calls = []
        with self.assertRaises(psycopg.errors.ForeignKeyViolation) as caught:
            bulk_build_index([[1, 2]], "items", index="none",
                             progress=lambda *call: calls.append(call))
        self.assertEqual(caught.exception.report.sent, 1)
        self.assertEqual(calls[-1], (1, 0, 0, 1))
        self.assertEqual(self.sql("SELECT * FROM items"), [])

    def test_notices_during_a_load(self):
        # More of them than a socket holds: a client that did not read on would wait for ever.
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(2))")
        self.sql("CREATE FUNCTION talk() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN RAISE WARNING ''%'', repeat(''x'', 2000); RETURN new; END'")
        self.sql("CREATE TRIGGER talk BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION talk()")
        heard = []
        with psycopg.connect(self.dsn) as conn:
            conn.add_notice_handler(heard.append)
            conn.execute("SET log_min_messages = error")
            conn.commit()
            bulk_build_index(np.zeros((3000, 2)), "items", conn=conn, index="none")
        self.assertEqual(len(heard), 3000)

    def test_two_loads_at_once(self):
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(4))")
        self.sql("CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)")
        failures = []

        def load(start):
            try:
                bulk_build_index(random_vectors(2000, 4, start), "items", id_start=start)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=load, args=[start]) for start in (0, 10_000, 20_000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.value("SELECT count(*) FROM items"), 6000)
