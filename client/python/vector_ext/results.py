"""Values that the functions of the package give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Neighbor(NamedTuple):
    """A row that a search found.

    `id` is the value of the table's id column; `distance` is that of the metric: Euclidean (`l2`),
    the inner product with its sign changed (`ip`), cosine distance 0 to 2 (`cosine`), taxicab
    (`l1`).
    """

    id: Any
    distance: float


class Reject(NamedTuple):
    """A row that was not sent: its index in the input, counted from 0, and why."""

    row: int
    sqlstate: str
    message: str


@dataclass(frozen=True)
class LoadReport:
    """How far a load had come when it failed. All of it is rolled back.

    `read`, `sent` and `rejected` count rows of the input; `total` is how many it has, None where it
    does not tell. `row` is the index, counted from 0, of the row at fault, if one is known.
    `elapsed` is in seconds. `statement` is the last SQL statement that was sent.
    """

    read: int
    sent: int
    rejected: int
    total: int | None
    row: int | None
    elapsed: float
    statement: str | None


@dataclass(frozen=True)
class BulkBuildStats:
    """What `bulk_build_index` did.

    `vectors` were loaded, of `dimension` dimensions (0: none was seen), in `elapsed` seconds from
    the first statement to the end of COMMIT: `rate` vectors a second. `load_elapsed` and
    `index_elapsed` are the seconds of COPY and of CREATE INDEX in it. `table_bytes` and
    `index_bytes` are the sizes afterwards, of all that is in them. `index` is the index's name as
    SQL writes it, None without one. `rejected` rows were not sent; `rejects` has the first 1,000 of
    them. `recall` at 10 with `hnsw.ef_search` 40 was measured if asked for. `command` lists the
    statements that did it.
    """

    vectors: int
    dimension: int
    elapsed: float
    rate: float
    load_elapsed: float
    index_elapsed: float
    table_bytes: int
    index_bytes: int
    table: str
    index: str | None
    rejected: int
    rejects: tuple[Reject, ...]
    recall: float | None
    command: tuple[str, ...]

    def __str__(self) -> str:
        text = (f"{self.vectors} vectors of {self.dimension} dimensions in {self.elapsed:.2f} s: "
                f"{self.rate:.0f} vectors/s; table {self.table_bytes / 1e6:.1f} MB, "
                f"index {self.index_bytes / 1e6:.1f} MB")
        if self.recall is not None:
            text += f"; recall@10 {self.recall:.3f}"
        return text + (f"; {self.rejected} rejected" if self.rejected else "")


@dataclass(frozen=True)
class UpsertStats:
    """What `bulk_upsert` did: counts that add up to the rows of the input.

    `inserted` and `updated` rows were written, `unchanged` ones were there with the same values,
    `skipped` ones had a key that exists or that another row stands for, `rejected` ones are in the
    rejects table. `elapsed` is in seconds from the first statement to the end of COMMIT, `rate` in
    rows a second. `command` lists the statements that did it.
    """

    inserted: int
    updated: int
    unchanged: int
    skipped: int
    rejected: int
    elapsed: float
    rate: float
    command: tuple[str, ...]


@dataclass(frozen=True)
class IndexInfo:
    """What an index is and holds; sizes are in bytes.

    `index` and `table` are names as SQL writes them, `column` is None for an index of an
    expression. `vectors` are the different vectors in it, `dead` those of them without rows. The
    other fields are those of `hnsw_info` in the SQL reference.
    """

    index: str
    table: str
    column: str | None
    metric: str
    dimension: int
    vectors: int
    dead: int
    m: int
    ef_construction: int
    layers: int
    codec: str
    hot_bytes: int
    cold_bytes: int
    index_bytes: int
    table_bytes: int
    fill: float
