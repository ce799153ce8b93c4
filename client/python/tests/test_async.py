"""The twins for asyncio."""

import asyncio
import inspect
import tempfile
from pathlib import Path

import numpy as np
import psycopg

import vector_ext
from base import Case, random_vectors
from vector_ext import BulkError, _run, agent_memory


class Async(Case):
    def run_with_connection(self, work):
        async def main():
            async with await psycopg.AsyncConnection.connect(self.dsn) as conn:
                return await work(conn)

        return asyncio.run(asyncio.wait_for(main(), 60))

    def test_every_function_has_a_twin(self):
        for module in (vector_ext, agent_memory):
            for name in module.__all__:
                function = getattr(module, name)
                if not inspect.isfunction(function) or name.startswith("async_"):
                    continue
                twin = getattr(module, "async_" + name)
                self.assertTrue(inspect.iscoroutinefunction(twin), name)
                self.assertEqual(inspect.signature(twin), inspect.signature(function), name)
                self.assertEqual(twin.__name__, "async_" + name)

    def test_load_and_search(self):
        array = random_vectors(2500, 5)

        async def rows():
            for row in array:
                await asyncio.sleep(0)
                yield row

        async def chunks():
            for start in range(0, 2500, 700):
                yield array[start:start + 700]

        async def work(conn):
            for number, given in enumerate((array, rows(), chunks(), array.tolist())):
                table = f"items_{number}"
                stats = await vector_ext.async_bulk_build_index(given, table, conn=conn)
                self.assertEqual(stats.vectors, 2500)
                found = await vector_ext.async_bulk_query_index(table, array[3], 1, conn=conn)
                self.assertEqual(found, [(3, 0.0)])
                self.assertEqual((await vector_ext.async_bulk_info(table, conn=conn)).vectors, 2500)
                self.assert_same(self.vectors(table), array)

        self.run_with_connection(work)

    def test_upsert(self):
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, v vector(2))")

        async def rows():
            for number in range(2500):
                yield {"id": number, "v": [number, 1]}

        async def work(conn):
            stats = await vector_ext.async_bulk_upsert(conn, "items", rows())
            self.assertEqual(stats.inserted, 2500)
            await agent_memory.async_create_tables(2, conn=conn)
            stats = await agent_memory.async_insert_trajectories(
                [{"trajectory_id": "t", "step_number": 1, "action": "a", "state_embedding": [1, 2]}],
                conn=conn)
            self.assertEqual(stats.inserted, 1)

        self.run_with_connection(work)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 2500)

    def test_without_a_connection(self):
        async def main():
            await vector_ext.async_bulk_build_index([[1, 2]], "items")
            await vector_ext.async_bulk_build_index([[1, 2]], "items", conn=self.dsn)

        asyncio.run(main())
        self.assertEqual(self.value("SELECT count(*) FROM items"), 2)

    def test_raw_files(self):
        async def main(path):
            await vector_ext.async_convert_embeddings_to_raw([[1, 2]], path)
            return await vector_ext.async_read_raw_embeddings(path)

        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(asyncio.run(main(Path(folder) / "a.f32")).tolist(), [[1, 2]])

    def test_errors(self):
        calls = []

        async def work(conn):
            with self.assertRaises(BulkError) as caught:
                await vector_ext.async_bulk_build_index([[1, 2], [1]], "items", conn=conn,
                                                        progress=lambda *call: calls.append(call))
            self.assertEqual((caught.exception.row, caught.exception.sqlstate), (1, "22000"))
            self.assertEqual(calls, [(0, 0, 0, 2)])
            with self.assertRaises(psycopg.errors.UniqueViolation):
                await vector_ext.async_bulk_build_index([[1, 2]] * 2, "items", ids=[1, 1], conn=conn)
            await conn.execute("SELECT 1")
            with self.assertRaises(BulkError):
                await vector_ext.async_bulk_build_index([[1, 2]], "items", m=1, conn=conn)
            self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
            await conn.rollback()

        self.run_with_connection(work)
        self.assertFalse(self.exists("items"))

    def test_callers_transaction(self):
        async def work(conn):
            await conn.execute("SELECT 1")
            await vector_ext.async_bulk_build_index([[1, 2]], "items", conn=conn)
            await vector_ext.async_bulk_query_index("items", [1, 2], conn=conn)
            self.assertFalse(self.exists("items"))
            await conn.rollback()

        self.run_with_connection(work)
        self.assertFalse(self.exists("items"))

    def test_cancelled_task(self):
        async def cancel_when(conn, task_of, is_reached):
            task = asyncio.ensure_future(task_of(conn))
            while not is_reached():
                await asyncio.sleep(0.01)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)
            await conn.execute("SELECT 1")
            await conn.rollback()

        read = []

        async def endless():
            while True:
                await asyncio.sleep(0)
                yield np.zeros((1000, 4), np.float32)

        def load(conn):
            return vector_ext.async_bulk_build_index(
                endless(), "items", conn=conn, progress=lambda *call: read.append(call))

        self.run_with_connection(lambda conn: cancel_when(conn, load, lambda: len(read) > 3))
        self.assertFalse(self.exists("items"))

    def test_interrupted_wait_goes_on(self):
        class Pgconn:
            def __init__(self):
                self.flushed = [1, 1, 0]

            def put_copy_data(self, block):
                return 1

            def flush(self):
                return self.flushed.pop(0)

            def consume_input(self):
                pass

        steps = _run._send_block(Pgconn(), b"block")
        next(steps)
        next(steps)
        with self.assertRaises(StopIteration):
            steps.send(psycopg.waiting.Ready.RW)

    def test_cancelled_while_the_server_works(self):
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, v vector(2))")
        self.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN PERFORM pg_sleep(600); RETURN new; END'")
        self.sql("CREATE TRIGGER slow BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION slow()")

        async def work(conn):
            pid = conn.info.backend_pid
            for call in (lambda: vector_ext.async_bulk_build_index([[1, 2]], "items", conn=conn),
                         lambda: vector_ext.async_bulk_upsert(conn, "items",
                                                              [{"id": 1, "v": [1, 2]}])):
                task = asyncio.ensure_future(call())
                while not self.sql("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND "
                                   "wait_event = 'PgSleep'", [pid]):
                    await asyncio.sleep(0.01)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)

        self.run_with_connection(work)

    def test_wrong_kind_of_connection(self):
        async def work(conn):
            with self.assertRaises(TypeError):
                vector_ext.bulk_build_index([[1, 2]], "items", conn=conn)
            with self.assertRaises(TypeError):
                await vector_ext.async_bulk_build_index([[1, 2]], "items", conn=self.conn)

        self.run_with_connection(work)

        async def rows():
            yield [1, 2]

        with self.assertRaisesRegex(TypeError, "async_"):
            vector_ext.bulk_build_index(rows(), "items")
