"""bulk_query_index and bulk_info."""

import numpy as np
import psycopg

import vector_ext
from base import Case, random_vectors
from vector_ext import BulkError, InvalidRowError, bulk_build_index, bulk_info, bulk_query_index

DISTANCES = {
    "l2": lambda rows, query: np.sqrt(((rows - query) ** 2).sum(1)),
    "ip": lambda rows, query: -(rows @ query),
    "cosine": lambda rows, query: 1 - rows @ query / (np.linalg.norm(rows, axis=1)
                                                      * np.linalg.norm(query)),
    "l1": lambda rows, query: np.abs(rows - query).sum(1),
}


class Query(Case):
    def test_every_metric_beside_numpy(self):
        array = random_vectors(500, 12).astype(np.float64)
        query = random_vectors(1, 12, seed=2)[0]
        for metric, distance in DISTANCES.items():
            bulk_build_index(array, metric, metric=metric)
            expected = distance(array, query)
            order = np.argsort(expected)[:5]
            for options in ({"ef_search": 500}, {"exact": True}):
                with self.subTest(metric=metric, **options):
                    found = bulk_query_index(metric, query, 5, **options)
                    self.assertEqual([neighbor.id for neighbor in found], order.tolist())
                    np.testing.assert_allclose([neighbor.distance for neighbor in found],
                                               expected[order], rtol=1e-5)

    def test_queries_of_every_kind(self):
        array = random_vectors(50, 3)
        bulk_build_index(array, "items")
        for query in (array[7], array[7].astype("f8"), array[7].tolist(), tuple(array[7].tolist()),
                      array[7:8], np.asfortranarray(array)[7]):
            self.assertEqual(bulk_query_index("items", query, 1), [(7, 0.0)])
        for query, sqlstate in (([1, float("nan"), 2], "22000"), ([1, 2], "22000"), ([], "22000"),
                                ([1, None, 2], "22004"), ([1e39, 1, 1], "22003"),
                                (["a", "b", "c"], "22P02")):
            with self.subTest(query=query):
                with self.assertRaises(InvalidRowError) as caught:
                    bulk_query_index("items", query)
                self.assertEqual(caught.exception.sqlstate, sqlstate)
        for query in (array, 5, np.zeros((1, 1, 3))):
            with self.assertRaises(ValueError):
                bulk_query_index("items", query)

    def test_more_neighbors_than_candidates(self):
        bulk_build_index(random_vectors(3000, 4), "items")
        self.sql("SET enable_seqscan = off")
        self.assertEqual(len(bulk_query_index("items", [0] * 4, 300, conn=self.conn)), 300)
        self.assertEqual(len(bulk_query_index("items", [0] * 4, 300, 50, conn=self.conn)), 300)
        self.sql("SET hnsw.iterative_scan = off")
        self.assertEqual(len(bulk_query_index("items", [0] * 4, 300, 50, conn=self.conn)), 50)
        self.assertEqual(self.value("SHOW hnsw.ef_search"), "40")
        self.assertEqual(len(bulk_query_index("items", [0] * 4, 3001)), 3000)

    def test_option_of_the_index_counts(self):
        bulk_build_index(random_vectors(3000, 4), "items", index="none")
        self.sql("CREATE INDEX ON items USING hnsw (embedding vector_l2_ops) WITH (ef_search = 12)")
        self.sql("SET enable_seqscan = off; SET hnsw.iterative_scan = off")
        bulk_query_index("items", [0] * 4, 2, 100, conn=self.conn)
        found = self.sql("SELECT id FROM items ORDER BY embedding <-> '[0,0,0,0]' LIMIT 40")
        self.assertEqual(len(found), 12)

    def test_index_is_used_and_exact_search_does_not(self):
        bulk_build_index(random_vectors(3000, 4), "items")
        counts = []
        for options in ({}, {"exact": True}):
            with psycopg.connect(self.dsn) as conn:
                bulk_query_index("items", [0] * 4, 2, conn=conn, **options)
                conn.execute("SELECT pg_stat_force_next_flush()")
            counts.append(self.value("SELECT idx_scan FROM pg_stat_user_indexes WHERE "
                                     "indexrelid = 'items_embedding_idx'::regclass"))
        self.assertEqual(counts, [1, 1])

    def test_arguments_that_cannot_be(self):
        bulk_build_index(random_vectors(10, 2), "items")
        for options in ({"k": 0}, {"k": -1}, {"k": 1.5}, {"k": True}, {"k": "1"}, {"ef_search": 0},
                        {"ef_search": 1001}, {"ef_search": 40.0}, {"metric": "L2"}):
            with self.subTest(**options), self.assertRaises(ValueError):
                bulk_query_index("items", [0, 0], **options)
        bulk_build_index(random_vectors(10, 2), "items", metric="cosine")
        with self.assertRaisesRegex(ValueError, "cosine, l2"):
            bulk_query_index("items", [0, 1])
        self.assertEqual(len(bulk_query_index("items", [0, 1], metric="ip")), 10)
        for table, sqlstate in (("nothing", "42P01"), ("items_pkey", "42809")):
            with self.assertRaises(BulkError) as caught:
                bulk_query_index(table, [0, 1])
            self.assertEqual(caught.exception.sqlstate, sqlstate)

    def test_tables_without_an_index_or_a_key(self):
        self.sql("CREATE TABLE items (title text, v vector(2))")
        self.sql("INSERT INTO items VALUES ('a', '[1,1]'), ('b', NULL), ('c', '[0,1]')")
        self.assertEqual(bulk_query_index("items", [0, 1], id_column="title"),
                         [("c", 0.0), ("a", 1.0)])
        with self.assertRaises(psycopg.errors.UndefinedColumn):
            bulk_query_index("items", [0, 1])


class Info(Case):
    def test_info(self):
        stats = bulk_build_index(random_vectors(300, 40), "items", metric="cosine", m=8)
        for name in ("items", stats.index, f"{self.schema}.items"):
            info = bulk_info(name)
            self.assertEqual((info.index, info.table, info.column, info.metric, info.dimension),
                             ("items_embedding_idx", "items", "embedding", "cosine", 40))
            self.assertEqual((info.vectors, info.dead, info.m, info.ef_construction),
                             (300, 0, 8, 64))
            self.assertEqual(info.index_bytes, stats.index_bytes)
            self.assertEqual(info.table_bytes, stats.table_bytes)
            self.assertLessEqual(info.hot_bytes + info.cold_bytes, info.index_bytes)

    def test_what_has_none_or_many(self):
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, v vector(2))")
        for name, sqlstate in (("items", "42809"), ("items_pkey", "42809"), ("none", "42P01")):
            with self.assertRaises(BulkError) as caught:
                bulk_info(name)
            self.assertEqual(caught.exception.sqlstate, sqlstate)
        self.sql("CREATE INDEX one ON items USING hnsw (v vector_l2_ops)")
        self.sql("CREATE INDEX two ON items USING hnsw (((v + '[1,1]')::vector(2)) vector_ip_ops)")
        with self.assertRaisesRegex(BulkError, "one, two"):
            bulk_info("items")
        self.assertIsNone(vector_ext.bulk_info("two").column)
