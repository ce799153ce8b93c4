"""Bulk loading and searching of vectors in PostgreSQL with the extension `vector_ext`.

    from vector_ext import bulk_build_index, bulk_query_index

    stats = bulk_build_index(embeddings, "items", m=16, ef_construction=100)
    for id, distance in bulk_query_index("items", embeddings[0], k=10):
        ...

Every function that talks to a server takes `conn`: a psycopg connection, a connection string, or
None for libpq's environment (PGHOST, PGDATABASE, ...). Each has a twin for asyncio, `async_...`.
"""

from . import agent_memory
from .build import async_bulk_build_index, bulk_build_index
from .errors import BulkError, InvalidRowError
from .query import async_bulk_info, async_bulk_query_index, bulk_info, bulk_query_index
from .raw import (async_convert_embeddings_to_raw, async_read_raw_embeddings,
                  convert_embeddings_to_raw, read_raw_embeddings)
from .results import BulkBuildStats, IndexInfo, LoadReport, Neighbor, Reject, UpsertStats
from .upsert import async_bulk_upsert, bulk_upsert

__version__ = "0.1.0"

__all__ = [
    "BulkBuildStats", "BulkError", "IndexInfo", "InvalidRowError", "LoadReport", "Neighbor",
    "Reject", "UpsertStats", "agent_memory", "async_bulk_build_index", "async_bulk_info",
    "async_bulk_query_index", "async_bulk_upsert", "async_convert_embeddings_to_raw",
    "async_read_raw_embeddings", "bulk_build_index", "bulk_info", "bulk_query_index",
    "bulk_upsert", "convert_embeddings_to_raw", "read_raw_embeddings",
]
