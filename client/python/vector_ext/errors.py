"""Errors: those of psycopg, with the report of the load that they ended.

An error of the server keeps its class and SQLSTATE: a duplicate key is still a
`psycopg.errors.UniqueViolation`, and it is a `BulkError` as well.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import psycopg

from .results import LoadReport


class BulkError(psycopg.Error):
    """An error that ended a call. `report` tells how far the load was, `sqlstate` what went
    wrong."""

    report: LoadReport | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        state = dict(self.__dict__)
        state.pop("_info", None)
        state.pop("pgconn", None)
        return (_rebuild, (_kind_of(type(self)), self.sqlstate, self.args, state))


class InvalidRowError(BulkError, ValueError):
    """A row that cannot be stored, judged before it was sent.

    It is also the error of psycopg for its `sqlstate`, such as `psycopg.errors.DataException`.
    `row` is the row's index in the input, counted from 0.
    """

    row: int = -1


def _kind_of(cls: type[psycopg.Error]) -> str:
    return "row" if issubclass(cls, InvalidRowError) else cls.__name__


def _rebuild(kind: str, sqlstate: str | None, args: tuple[Any, ...],
             state: dict[str, Any]) -> psycopg.Error:
    if kind == "row":
        cls: type[psycopg.Error] = _row_class(sqlstate or "22000")
    else:
        found = (getattr(psycopg.errors, kind, None) or getattr(psycopg, kind, None)
                 or psycopg.Error)
        cls = _reporting_class(found)
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update({"_info": None, "_encoding": "utf-8", **state})
    return error


_reporting_classes: dict[type[psycopg.Error], type[BulkError]] = {}


def _reporting_class(cls: type[psycopg.Error]) -> type[BulkError]:
    made = _reporting_classes.get(cls)
    if made is None:
        made = type(cls.__name__, (BulkError, cls),
                    {"__module__": cls.__module__, "__doc__": cls.__doc__})
        _reporting_classes[cls] = made
    return made


@lru_cache(maxsize=None)
def _row_class(sqlstate: str) -> type[InvalidRowError]:
    base = psycopg.errors.lookup(sqlstate)
    made: type[InvalidRowError] = type(
        "InvalidRowError", (InvalidRowError, base),
        {"__module__": InvalidRowError.__module__, "__doc__": InvalidRowError.__doc__})
    return made


def invalid_row(row: int, sqlstate: str, message: str) -> InvalidRowError:
    """The error of row `row` (counted from 0) of the input."""
    error = _row_class(sqlstate)(message)
    error.row = row
    return error


def with_report(error: psycopg.Error, report: LoadReport) -> BulkError:
    """The same error, of a class that is a BulkError too, with the report."""
    if not isinstance(error, BulkError):
        cls = _reporting_class(type(error))
        made = cls.__new__(cls, *error.args)
        made.args = error.args
        made.__dict__.update(error.__dict__)
        made.__cause__, made.__traceback__ = error.__cause__, error.__traceback__
        error = made
    error.report = report
    return error
