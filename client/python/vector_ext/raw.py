"""Raw files of float32: vectors one behind the other, without a header, little-endian.

Beside `items.f32` stands `items.json` with `n` (vectors), `dim`, `metric` and `dtype`;
`vector-bulk` reads the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from . import _vectors
from ._builder import NAME, cut_chunk, rows_of_chunk
from ._catalog import check_metric
from ._sources import Slices, Source, Stream
from .build import Metric

BATCH_ROWS = 1000
FLOAT_BYTES = 4

RawPath = Union[str, "os.PathLike[str]"]


def convert_embeddings_to_raw(embeddings: Any, path: RawPath, *,
                              metric: Optional[Metric] = None) -> Path:
    """Writes vectors to a raw file of float32, and what they are to the JSON file beside it.

    Parameters:
        embeddings: as for `bulk_build_index`, but no DataFrame and no async iterator; iterators are
            written as they come, 1,000 rows at a time.
        path: the file, which is replaced when all is written; an error leaves what was there.
        metric: noted in the JSON file: `l2`, `ip`, `cosine` or `l1`.

    Returns: the path of the raw file.

    Raises: `InvalidRowError` as `bulk_build_index` does; `ValueError` for no rows at all, and where
    the JSON file beside it would replace another one; `OSError`.
    """
    check_metric(metric)
    target = Path(path)
    _check_target(target)
    source = _source_of(embeddings)
    handle, name = tempfile.mkstemp(prefix=target.name + ".", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            n_rows, n_dims = _write_rows(file, source)
        described = Path(name + ".json")
        described.write_text(json.dumps({"n": n_rows, "dim": n_dims, "metric": metric,
                                         "dtype": "float32"}) + "\n", encoding="utf-8")
        os.chmod(name, 0o666 & ~_umask())
        os.replace(described, target.with_suffix(".json"))
        os.replace(name, target)
    except BaseException:
        for left in (name, name + ".json"):
            if os.path.exists(left):
                os.remove(left)
        raise
    return target


def _check_target(target: Path) -> None:
    """What exists is replaced only where it is a raw file or the JSON file of one."""
    if target.suffix == ".json":
        raise ValueError(f"{target} is the name of the JSON file beside a raw file")
    if target.exists() and not target.is_file():
        raise ValueError(f"{target} is not a file")
    beside = target.with_suffix(".json")
    if beside.exists():
        try:
            known = _read_description(target)
        except ValueError:
            known = {}
        if "dim" not in known:
            raise ValueError(f"{beside} would be replaced, but is not the JSON file of a raw file")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _source_of(embeddings: Any) -> Source:
    if isinstance(embeddings, (str, bytes, dict)) or not hasattr(embeddings, "__iter__"):
        raise TypeError(f"{NAME} must be rows of numbers, not {type(embeddings).__name__}")
    if hasattr(embeddings, "__array__"):
        array = _vectors.matrix_of(embeddings, NAME)
        return Slices(len(array), BATCH_ROWS, lambda start, stop: array[start:stop])
    return Stream(embeddings, BATCH_ROWS, rows_of_chunk, cut_chunk)


def _write_rows(file: Any, source: Source) -> tuple[int, int]:
    n_rows, n_dims = 0, 0
    while (batch := source.pull()) is not None:
        n_dims = n_dims or _vectors.dimension_of(batch.payload, NAME)
        vectors, _, errors = _vectors.judge(batch.payload, n_dims, batch.start, NAME)
        if errors:
            raise errors[0]
        file.write(np.ascontiguousarray(vectors, "<f4").data)
        n_rows += batch.n_rows
    if n_rows == 0 or n_dims == 0:
        raise ValueError("there are no vectors to write")
    return n_rows, n_dims


def read_raw_embeddings(path: RawPath, dimension: Optional[int] = None) -> NDArray[np.float32]:
    """The vectors of a raw file, mapped into memory: read when they are used.

    Parameters:
        path: the file, float32, little-endian.
        dimension: dimensions of a vector; None: `dim` of the JSON file beside it, or of `meta.json`
            in its folder.

    Returns: a read-only array of shape (vectors, dimension) of float32.

    Raises: `ValueError` where the dimension is unknown, or the size of the file is not that of
    whole vectors or not the one that the JSON file tells; `OSError`.
    """
    source = Path(path)
    known = _read_description(source)
    n_dims = dimension if dimension is not None else known.get("dim")
    if n_dims is None:
        beside = source.with_suffix(".json").name
        raise ValueError(f"{source}: give dimension; there is no {beside} that tells it")
    if isinstance(n_dims, bool) or not isinstance(n_dims, int) or n_dims < 1:
        raise ValueError(f"{source}: dimension must be a whole number of at least 1, "
                         f"not {n_dims!r}")
    if known.get("dim", n_dims) != n_dims:
        raise ValueError(f"{source}: vectors have {known['dim']} dimensions by the JSON file, not "
                         f"{n_dims}")
    size, row_bytes = source.stat().st_size, n_dims * FLOAT_BYTES
    if size % row_bytes != 0 or size == 0:
        raise ValueError(f"{source}: {size} bytes are not whole vectors of {n_dims} dimensions "
                         f"({row_bytes} bytes)")
    n_rows = size // row_bytes
    if known.get("n", n_rows) != n_rows:
        raise ValueError(f"{source}: {n_rows} vectors by its size of {size} bytes, but "
                         f"{known['n']} by the JSON file")
    mapped: NDArray[Any] = np.memmap(source, "<f4", "r", 0, (n_rows, n_dims))
    return mapped


def _read_description(source: Path) -> dict[str, Any]:
    for beside in (source.with_suffix(".json"), source.with_name("meta.json")):
        if beside.exists():
            try:
                known = json.loads(beside.read_text(encoding="utf-8"))
            except (ValueError, UnicodeDecodeError) as error:
                raise ValueError(f"{beside} is no JSON: {error}") from None
            if not isinstance(known, dict):
                raise ValueError(f"{beside} has no object")
            return known
    return {}


async def async_convert_embeddings_to_raw(embeddings: Any, path: RawPath, *,
                                          metric: Optional[Metric] = None) -> Path:
    """As `convert_embeddings_to_raw`, in a thread."""
    return await asyncio.to_thread(convert_embeddings_to_raw, embeddings, path, metric=metric)


async def async_read_raw_embeddings(path: RawPath,
                                    dimension: Optional[int] = None) -> NDArray[np.float32]:
    """As `read_raw_embeddings`, in a thread."""
    return await asyncio.to_thread(read_raw_embeddings, path, dimension)
