"""Where rows come from: what is given, cut into batches, so that memory does not grow with it.

A source knows nothing of vectors. It gives payloads of at most `batch_size` rows in turn: slices of
what has a length, or what an iterator gave, collected.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Rows `start` to `start + n_rows - 1` of the input, counted from 0."""

    start: int
    n_rows: int
    payload: Any


class Source:
    """Gives batches until it has none. `total` is the number of rows, None where it is unknown."""

    total: Optional[int] = None

    def pull(self) -> Optional[Batch]:
        raise NotImplementedError

    async def async_pull(self) -> Optional[Batch]:
        return self.pull()


class Slices(Source):
    """Batches of something with `n_rows`; `take(start, stop)` gives the payload of a slice."""

    def __init__(self, n_rows: int, batch_size: int, take: Callable[[int, int], Any]) -> None:
        self.total = n_rows
        self._batch_size = batch_size
        self._take = take
        self._next = 0

    def pull(self) -> Optional[Batch]:
        start = self._next
        stop = min(start + self._batch_size, self.total or 0)
        if start == stop:
            return None
        self._next = stop
        return Batch(start, stop - start, self._take(start, stop))


class Stream(Source):
    """Batches of what an iterator gives, also an asynchronous one.

    An item is a row, and a payload a list of rows; or an item is a chunk of rows (`rows_of(item)`
    tells how many, None for a row), and payloads are its slices by `cut(item, start, stop)`.
    """

    def __init__(self, items: Any, batch_size: int, rows_of: Callable[[Any], Optional[int]],
                 cut: Callable[[Any, int, int], Any]) -> None:
        self._items: Iterator[Any] | None = None
        self._async_items: AsyncIterator[Any] | None = None
        if hasattr(items, "__aiter__"):
            self._async_items = items.__aiter__()
        else:
            self._items = iter(items)
        self._batch_size = batch_size
        self._rows_of = rows_of
        self._cut = cut
        self._n_rows = 0
        self._chunk: Any = None
        self._chunk_rows = 0
        self._chunk_next = 0

    def pull(self) -> Optional[Batch]:
        if self._items is None:
            raise TypeError("an asynchronous iterator needs the async_ function")
        batch = self._from_chunk()
        if batch is not None:
            return batch
        for item in self._items:
            if not self._keep_chunk(item):
                rows = [item, *itertools.islice(self._items, self._batch_size - 1)]
                return self._batch(len(rows), rows)
            batch = self._from_chunk()
            if batch is not None:
                return batch
        return None

    async def async_pull(self) -> Optional[Batch]:
        if self._async_items is None:
            return self.pull()
        batch = self._from_chunk()
        if batch is not None:
            return batch
        rows: list[Any] = []
        async for item in self._async_items:
            if not rows and self._keep_chunk(item):
                batch = self._from_chunk()
                if batch is not None:
                    return batch
                continue
            rows.append(item)
            if len(rows) == self._batch_size:
                break
        return self._batch(len(rows), rows) if rows else None

    def _batch(self, n_rows: int, payload: Any) -> Batch:
        start = self._n_rows
        self._n_rows += n_rows
        return Batch(start, n_rows, payload)

    def _keep_chunk(self, item: Any) -> bool:
        """Keeps an item that is a chunk, to be cut."""
        n_rows = self._rows_of(item)
        if n_rows is None:
            return False
        self._chunk, self._chunk_rows, self._chunk_next = item, n_rows, 0
        return True

    def _from_chunk(self) -> Optional[Batch]:
        start = self._chunk_next
        stop = min(start + self._batch_size, self._chunk_rows)
        if start >= stop:
            self._chunk = None
            return None
        self._chunk_next = stop
        return self._batch(stop - start, self._cut(self._chunk, start, stop))


def is_frame(value: Any) -> bool:
    """Is it a DataFrame? Told by its shape, because pandas may not be there."""
    return hasattr(value, "iloc") and hasattr(value, "columns")


def check_whole(name: str, value: Optional[int], least: Optional[int] = None) -> None:
    """Is it a whole number, or None? One with a fraction would be rounded somewhere, unseen."""
    if value is None:
        return
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or (least is not None and value < least):
        wanted = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name} must be a whole number{wanted}, not {value!r}")
