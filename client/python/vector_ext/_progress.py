"""Counts the rows of a load, and tells whoever wants to know."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import Any, Optional

import psycopg

from .results import LoadReport, Reject

# Rows read, rows inserted (sent, until the end), rows rejected, rows in all or None if unknown.
ProgressCallback = Callable[[int, int, int, Optional[int]], Any]

MAX_KEPT_REJECTS = 1000


class Tracker:
    """The counts of one load. Its last call of the callback comes at the end, whatever the end
    is."""

    def __init__(self, callback: Optional[ProgressCallback] = None, quiet: bool = True) -> None:
        self.read = 0
        self.sent = 0
        self.rejected = 0
        self.total: Optional[int] = None
        self.rejects: list[Reject] = []
        self.statement: Optional[str] = None
        # The table that COPY writes, as its errors name it.
        self.copy_target: Optional[str] = None
        self._started = 0.0
        self._from_callback: Optional[BaseException] = None
        self._callback = callback
        if callback is None and not quiet and sys.stderr.isatty():
            self._callback = _show_on_terminal

    def start(self) -> None:
        self._started = time.perf_counter()

    def count(self, read: int, sent: int) -> None:
        """Counts a batch of rows, and tells."""
        self.read += read
        self.sent += sent
        self.tell(self.sent)

    def reject(self, reject: Reject) -> None:
        self.rejected += 1
        if len(self.rejects) < MAX_KEPT_REJECTS:
            self.rejects.append(reject)

    def tell(self, inserted: int) -> None:
        """Calls the callback. An exception in it ends the load."""
        if self._callback is None:
            return
        try:
            self._callback(self.read, inserted, self.rejected, self.total)
        except BaseException as error:
            self._from_callback = error
            raise

    def failed(self, error: BaseException) -> None:
        """The last call of a load that failed: no row stays. Not if the callback is what failed."""
        if self._callback is None or error is self._from_callback:
            return
        try:
            self._callback(self.read, 0, self.rejected, self.total)
        except Exception:
            pass  # the first error is the one to tell

    def report(self, error: psycopg.Error) -> LoadReport:
        row = getattr(error, "row", None)
        if row is None:
            row = self._row_of(error)
        return LoadReport(self.read, self.sent, self.rejected, self.total, row,
                          time.perf_counter() - self._started, self.statement)

    def _row_of(self, error: psycopg.Error) -> Optional[int]:
        """The row, counted from 0, that an error of the server names.

        COPY says `COPY table, line 18, column v` in the server's language, an upsert `Row 18 of
        ...`; both count the rows that were sent, so rejects in front of it hide which one it was.
        """
        if self.rejected:
            return None
        found = None
        context = error.diag.context or ""
        prefix = f"COPY {self.copy_target}"
        if self.copy_target is not None and context.startswith(prefix):
            found = re.match(r"\D*(\d+)", context[len(prefix):].split("\n")[0])
        for text in (error.diag.message_detail, context):
            found = found or re.search(r"^Row (\d+) of ", text or "", re.MULTILINE)
        return int(found[1]) - 1 if found else None


def _show_on_terminal(read: int, inserted: int, rejected: int, total: Optional[int]) -> None:
    text = f"{read:,} rows" if total is None else f"{read:,} of {total:,} rows"
    if rejected:
        text += f", {rejected:,} rejected"
    ends = total is not None and read >= total
    print(f"\r{text}\033[K", end="\n" if ends else "", file=sys.stderr, flush=True)
