"""The package where the extension is `vector`, with `vector_tools` in another schema, and without."""

import psycopg
from psycopg import conninfo

from base import Case, random_vectors
from vector_ext import bulk_build_index, bulk_info, bulk_query_index, bulk_upsert

DATABASE = "vector_ext_python_names"


class ExtensionNames(Case):
    def test_vector_and_vector_tools(self):
        tools = self.sql("SELECT FROM pg_available_extensions WHERE name = 'vector_tools'")
        if not tools:
            self.skipTest("pgvector is installed: extension vector is its own")
        self.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        self.sql(f"CREATE DATABASE {DATABASE}")
        self.addCleanup(lambda: self.sql(f"DROP DATABASE {DATABASE} WITH (FORCE)"))
        dsn = conninfo.make_conninfo(dbname=DATABASE, options="-c search_path=public")
        array = random_vectors(300, 8)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE SCHEMA types; CREATE SCHEMA tools")
            conn.execute("CREATE EXTENSION vector SCHEMA types")
            stats = bulk_build_index(array, "items", conn=conn)
            self.assertEqual(stats.vectors, 300)
            found = bulk_query_index("items", array[7], 1, conn=conn)
            self.assertEqual([neighbor.id for neighbor in found], [7])
            with self.assertRaisesRegex(psycopg.errors.UndefinedFunction, "vector_tools"):
                bulk_info("items", conn=conn)
            with self.assertRaisesRegex(psycopg.errors.UndefinedFunction, "vector_tools"):
                bulk_upsert(conn, "items", [{"id": 7, "embedding": array[8]}])
            conn.execute("CREATE EXTENSION vector_tools SCHEMA tools")
            self.assertEqual(bulk_info("items", conn=conn).vectors, 300)
            changes = [{"id": 7, "embedding": array[8]}, {"id": 900, "embedding": array[9]}]
            merged = bulk_upsert(conn, "items", changes, "update")
            self.assertEqual((merged.inserted, merged.updated), (1, 1))
