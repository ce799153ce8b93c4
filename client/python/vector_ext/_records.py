"""Rows of several columns: what is given, as batches of columns.

A payload is a dict from the column's name to its values, a list or an array with an element (or,
for vectors, a row) for each row.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np

from ._sources import Batch, Slices, Source, Stream, is_frame
from .errors import invalid_row

Payload = dict[str, Any]


def open_records(rows: Any, batch_size: int) -> Source:
    """The source of what is given; its payloads are still what they were: see `columns_of`."""
    if is_frame(rows):
        return Slices(len(rows), batch_size, lambda start, stop: rows.iloc[start:stop])
    if isinstance(rows, np.ndarray) and rows.dtype.names is not None and rows.ndim == 1:
        names = rows.dtype.names
        return Slices(len(rows), batch_size,
                      lambda start, stop: {name: rows[name][start:stop] for name in names})
    if isinstance(rows, Mapping):
        return _open_columns(rows, batch_size)
    if isinstance(rows, (str, bytes)):
        raise TypeError(f"rows must be rows of columns, not {type(rows).__name__}")
    if isinstance(rows, (list, tuple)):
        return Slices(len(rows), batch_size, lambda start, stop: list(rows[start:stop]))
    if hasattr(rows, "__iter__") or hasattr(rows, "__aiter__"):
        return Stream(rows, batch_size, lambda item: len(item) if is_frame(item) else None,
                      lambda item, start, stop: item.iloc[start:stop])
    raise TypeError(f"rows must be rows of columns, not {type(rows).__name__}")


def _open_columns(columns: Mapping[Any, Any], batch_size: int) -> Source:
    for name, values in columns.items():
        if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
            raise TypeError(f"rows[{name!r}] must be a sequence with a value for every row, not "
                            f"{type(values).__name__}; one row is given as a list of one dict")
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns have different lengths: {lengths}")
    return Slices(next(iter(lengths.values()), 0), batch_size,
                  lambda start, stop: {name: values[start:stop]
                                       for name, values in columns.items()})


def names_of(batch: Batch, columns: Optional[Sequence[str]]) -> list[str]:
    """The names of the columns: those given, or as the first rows have them."""
    payload = batch.payload
    first = payload[0] if isinstance(payload, list) else payload
    if is_frame(first):
        names = list(first.columns)
    elif isinstance(first, Mapping):
        names = list(first)
    elif columns is None:
        raise TypeError(f"rows[0] is of type {type(first).__name__}: name the columns by columns, "
                        "or give dicts")
    else:
        names = list(columns)
    if columns is not None and not set(columns) <= set(names):
        missing = [name for name in columns if name not in names]
        raise ValueError(f"rows have no column {missing}; they have {names}")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"a column is named by a string, not by {name!r}")
    return list(columns) if columns is not None else names


def columns_of(batch: Batch, names: list[str], exact: bool) -> Payload:
    """The values of a batch by column. `exact`: rows must not have other columns."""
    payload = batch.payload
    if is_frame(payload):
        return {name: _values_of_series(payload[name]) for name in names}
    if isinstance(payload, Mapping):
        return {name: payload[name] for name in names}
    if isinstance(payload[0], Mapping):
        return _columns_of_dicts(batch, names, exact)
    widths = set(map(len, filter(_is_row, payload)))
    if widths != {len(names)} or not all(map(_is_row, payload)):
        for index, row in enumerate(payload):
            if not _is_row(row) or len(row) != len(names):
                raise invalid_row(batch.start + index, "22023",
                                  f"rows[{batch.start + index}] is not a row of the {len(names)} "
                                  f"columns {names}: {row!r:.80}")
    return dict(zip(names, map(list, zip(*payload))))


def _is_row(row: Any) -> bool:
    return hasattr(row, "__len__") and not isinstance(row, (str, bytes, Mapping))


def _columns_of_dicts(batch: Batch, names: list[str], exact: bool) -> Payload:
    rows = batch.payload
    try:
        columns = {name: list(map(operator.itemgetter(name), rows)) for name in names}
        if not exact or set(map(len, rows)) == {len(names)}:
            return columns
    except (KeyError, TypeError, IndexError):
        pass
    for index, row in enumerate(rows):
        number = batch.start + index
        if not isinstance(row, Mapping):
            raise invalid_row(number, "22023", f"rows[{number}] is not a dict: {row!r:.80}")
        missing = [name for name in names if name not in row]
        more = [name for name in row if name not in names] if exact else []
        if missing or more:
            raise invalid_row(number, "22023",
                              f"rows[{number}] " + (f"has no {missing}" if missing
                                                    else f"has {more}, which rows[0] has not"))
    raise AssertionError("a batch is refused without a row at fault")


def _values_of_series(series: Any) -> Any:
    """The values of a column of a DataFrame; what is missing there becomes None."""
    missing = series.isna()
    if missing.any():
        return series.astype(object).where(~missing, None).tolist()
    if series.dtype.kind in "biuf":
        return series.to_numpy()
    return series.tolist()
