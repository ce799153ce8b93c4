"""bulk_build_index: the index that is built, and the tables that rows go to."""

import warnings

import numpy as np
import psycopg

import vector_ext
from base import Case, random_vectors
from vector_ext import BulkError, bulk_build_index, bulk_query_index


class Indexes(Case):
    def test_every_metric(self):
        array = random_vectors(300, 8)
        for metric in ("l2", "ip", "cosine", "l1"):
            stats = bulk_build_index(array, metric, metric=metric, recall_sample=50)
            self.assertEqual(vector_ext.bulk_info(stats.index).metric, metric)
            self.assertGreater(stats.recall, 0.9)
            self.assertIn("recall@10", str(stats))
        with self.assertRaises(ValueError):
            bulk_build_index(array, "items", metric="euclid")

    def test_stats(self):
        stats = bulk_build_index(random_vectors(500, 8), "items", index_name="by_vector")
        self.assertEqual((stats.vectors, stats.dimension, stats.table, stats.index),
                         (500, 8, "items", "by_vector"))
        self.assertEqual(stats.table_bytes, self.value("SELECT pg_table_size('items')"))
        self.assertEqual(stats.index_bytes, self.value("SELECT pg_relation_size('by_vector')"))
        self.assertGreaterEqual(stats.elapsed, stats.load_elapsed + stats.index_elapsed)
        self.assertAlmostEqual(stats.rate, 500 / stats.elapsed)
        self.assertEqual([command.split()[0] for command in stats.command],
                         ["CREATE", "ALTER", "COPY", "CREATE", "ANALYZE"])
        self.assertIsNone(stats.recall)

    def test_statements_given_can_be_run_again(self):
        stats = bulk_build_index(random_vectors(100, 8), "items", threads=2)
        self.sql("DROP TABLE items")
        for command in stats.command:
            if not command.startswith("COPY"):
                self.sql(command)

    def test_index_that_is_there_is_used(self):
        array = random_vectors(200, 8)
        first = bulk_build_index(array, "items")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            second = bulk_build_index(array, "items")
        self.assertEqual(first.index, second.index)
        self.assertEqual(vector_ext.bulk_info("items").vectors, 200)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 400)
        with self.assertWarnsRegex(UserWarning, "m = 16, not 8"):
            bulk_build_index(array, "items", m=8)
        bulk_build_index(array, "items", metric="cosine")
        self.assertEqual(self.value("SELECT count(*) FROM pg_index i JOIN pg_class c "
                                    "ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam "
                                    "WHERE indrelid = 'items'::regclass AND amname = 'hnsw'"), 2)

    def test_partial_index_is_not_used(self):
        bulk_build_index(random_vectors(200, 8), "items", index="none")
        self.sql("CREATE INDEX part ON items USING hnsw (embedding vector_l2_ops) WHERE id < 10")
        stats = bulk_build_index(random_vectors(10, 8), "items")
        self.assertNotEqual(stats.index, "part")

    def test_before_and_none(self):
        stats = bulk_build_index(random_vectors(200, 8), "items", index="before")
        self.assertEqual([command.split()[0] for command in stats.command],
                         ["CREATE", "ALTER", "CREATE", "COPY", "ANALYZE"])
        self.assertEqual(vector_ext.bulk_info("items").vectors, 200)
        stats = bulk_build_index(random_vectors(200, 8), "bare", index="none", analyze=False)
        self.assertEqual((stats.index, stats.index_bytes), (None, 0))
        with self.assertRaises(ValueError):
            bulk_build_index(random_vectors(2, 8), "bare", index="later")

    def test_options_that_the_server_refuses(self):
        for options in ({"m": 1}, {"m": 101}, {"ef_construction": 20}, {"ef_construction": 1001},
                        {"maintenance_work_mem": "lots"}):
            with self.subTest(**options):
                with self.assertRaises(BulkError) as caught:
                    bulk_build_index(random_vectors(10, 3), "items", **options)
                self.assertEqual(caught.exception.sqlstate, "22023")
                self.assertEqual(caught.exception.report.sent, 10)
                self.assertFalse(self.exists("items"))

    def test_too_many_dimensions_for_an_index(self):
        with self.assertRaises(BulkError) as caught:
            bulk_build_index(random_vectors(3, 8001), "items")
        self.assertEqual(caught.exception.sqlstate, "54000")
        self.assertFalse(self.exists("items"))


class Targets(Case):
    def test_odd_names(self):
        self.sql('CREATE SCHEMA "Odd %s schema"')
        self.addCleanup(lambda: psycopg.connect(self.dsn, autocommit=True).execute(
            'DROP SCHEMA "Odd %s schema" CASCADE'))
        name = '"Odd %s schema"."A ""b"" 50% {x}"'
        options = {"column": 'v "1" %s {y}', "id_column": "I d%", "index_name": 'i "x" %(a)s'}
        array = random_vectors(30, 3)
        stats = bulk_build_index(array, name, **options)
        self.assertEqual(stats.table, name)
        self.assertEqual(stats.index, '"Odd %s schema"."i ""x"" %(a)s"')
        bulk_build_index(array, name, ids=np.arange(100, 130))
        for where in (name, stats.index):
            self.assertEqual(bulk_query_index(where, array[4], 2)[0].distance, 0)
        self.assertEqual(vector_ext.bulk_info(name).column, options["column"])

    def test_what_is_not_there(self):
        array = np.zeros((1, 2))
        self.sql("CREATE TABLE two (id bigint PRIMARY KEY, a vector(2), b vector(2))")
        self.sql("CREATE TABLE none (id bigint PRIMARY KEY)")
        self.sql("CREATE SEQUENCE sequence")
        for table, options, sqlstate in (
                ("no_schema.items", {}, "3F000"), ("two", {}, "42702"),
                ("two", {"column": "c"}, "42703"), ("two", {"column": "id"}, "42809"),
                ("two", {"column": "a", "id_column": "no"}, "42703"), ("none", {}, "42703"),
                ("two_pkey", {}, "42809"), ("sequence", {}, "42809"), ("a.b.c.d", {}, None),
                ("", {}, None), ("1", {}, None), ("a b", {}, None)):
            with self.subTest(name=table, **options):
                with self.assertRaises(BulkError) as caught:
                    bulk_build_index(array, table, **options)
                if sqlstate is not None:
                    self.assertEqual(caught.exception.sqlstate, sqlstate)
        with self.assertRaises(TypeError):
            bulk_build_index(array, None)
        bulk_build_index(array, "two", column="b", index="none")
        self.assertEqual(self.sql("SELECT a, b::text FROM two"), [(None, "[0,0]")])

    def test_domains_partitions_and_views(self):
        self.sql("CREATE DOMAIN embedding_type AS vector(2)")
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, embedding embedding_type) "
                 "PARTITION BY RANGE (id)")
        self.sql("CREATE TABLE items_1 PARTITION OF items FOR VALUES FROM (0) TO (10)")
        bulk_build_index(np.zeros((3, 2)), "items", index="none")
        with self.assertRaises(psycopg.errors.CheckViolation) as caught:
            bulk_build_index(np.zeros((20, 2)), "items", id_start=8, index="none")
        self.assertEqual(caught.exception.report.row, 2)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 3)

    def test_no_rights(self):
        self.sql("DROP ROLE IF EXISTS python_reader")
        self.sql("CREATE ROLE python_reader")
        self.addCleanup(lambda: psycopg.connect(self.dsn, autocommit=True).execute(
            "DROP OWNED BY python_reader; DROP ROLE python_reader"))
        bulk_build_index(np.zeros((3, 2)), "items")
        self.sql(f"GRANT USAGE ON SCHEMA {self.schema} TO python_reader")
        self.sql("GRANT SELECT ON items TO python_reader")
        with psycopg.connect(self.dsn) as conn:
            conn.execute("SET ROLE python_reader")
            conn.commit()
            for table in ("items", "others"):
                with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                    bulk_build_index(np.ones((3, 2)), table, conn=conn)
            self.assertEqual(len(bulk_query_index("items", [0, 0], conn=conn)), 3)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 3)

    def test_read_only(self):
        with psycopg.connect(self.dsn) as conn:
            conn.read_only = True
            with self.assertRaises(psycopg.errors.ReadOnlySqlTransaction):
                bulk_build_index(np.ones((3, 2)), "items", conn=conn)

    def test_extension_elsewhere_and_missing(self):
        name = "vector_ext_python_other"
        self.sql(f"DROP DATABASE IF EXISTS {name}")
        self.sql(f"CREATE DATABASE {name}")
        self.addCleanup(self.sql, f"DROP DATABASE {name}")
        array = random_vectors(100, 4)
        with psycopg.connect(dbname=name, options="-c search_path=public", autocommit=True) as conn:
            with self.assertRaises(psycopg.errors.UndefinedObject) as caught:
                bulk_build_index(array, "items", conn=conn)
            self.assertIn("CREATE EXTENSION vector_ext", str(caught.exception))
            conn.execute('CREATE SCHEMA "Far off"')
            conn.execute('CREATE EXTENSION vector_ext SCHEMA "Far off"')
            stats = bulk_build_index(array, "items", conn=conn, metric="cosine", recall_sample=10)
            self.assertEqual(vector_ext.bulk_info("items", conn=conn).vectors, 100)
            self.assertEqual(bulk_query_index(stats.index, array[3], 1, conn=conn)[0].id, 3)
            counts = vector_ext.bulk_upsert(conn, "items", [{"id": 3, "embedding": array[4]}],
                                            "update", reject_into="rejects")
            self.assertEqual(counts.updated, 1)
            vector_ext.agent_memory.create_tables(3, conn=conn)
