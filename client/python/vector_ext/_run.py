"""Runs the steps of a call on a connection, blocking or in asyncio.

A call is a generator that yields operations and gets their results. Its text is written once and
knows neither threads nor event loops. An error of an operation ends the
call; steps do not see it. The two drivers here own what the call must not decide: the
connection, the transaction, and what becomes of errors.

Transactions. Where the connection is idle, the call is one transaction of its own. Where the caller
has begun one, the call neither commits nor sets a savepoint; an error then leaves the caller's
transaction failed, as any statement does.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Optional, ParamSpec, TypeVar, Union

import psycopg
from psycopg import pq, sql
from psycopg.rows import tuple_row

from ._progress import Tracker
from ._sources import Batch, Source
from .errors import with_report

# A block of COPY data that libpq takes at once. Larger ones make its buffer grow and its sending
# slow.
BLOCK_BYTES = 128 * 1024

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER = b"\xff\xff"

ConnectionLike = Union["psycopg.Connection[Any]", "psycopg.AsyncConnection[Any]", str, None]

T = TypeVar("T")
P = ParamSpec("P")


@dataclass
class Execute:
    """Runs a statement; its result is the list of rows. `text` becomes the statement as sent.

    Values stand in it as literals, not as parameters: beside parameters a name with a % would be
    taken for a placeholder.
    """

    query: sql.Composed
    text: str = ""


@dataclass
class Pull:
    """Takes the next batch of a source; None at its end."""

    source: Source


@dataclass
class CopyIn:
    """COPY FROM STDIN in binary: `first`, then the other batches of `source`, encoded by `encode`.

    The result is the number of rows that the server counted.
    """

    query: sql.Composed
    first: Optional[Batch]
    source: Source
    encode: Callable[[Batch], bytes | memoryview]
    text: str = ""


@dataclass
class Tell:
    """Calls the progress callback with this number of rows as inserted."""

    inserted: int


@dataclass
class Encoding:
    """The name of the codec for text that is sent on this connection."""


Operation = Union[Execute, Pull, CopyIn, Tell, Encoding]
Steps = Generator[Operation, Any, T]


@dataclass
class Call:
    """What a driver needs beside the steps."""

    conn: ConnectionLike
    tracker: Tracker = field(default_factory=Tracker)
    # A call that only reads runs in a transaction or savepoint that is rolled back: settings that
    # it changes are what they were afterwards.
    reads_only: bool = False
    # Fills in what is known after COMMIT: gets the result and the seconds since the start.
    finish: Optional[Callable[[Any, float], Any]] = None


def fetch(text: str, **parts: Any) -> Steps[list[tuple[Any, ...]]]:
    """Runs a statement within steps, by `yield from`, and gives its rows.

    `{name}` in it stands for a part: SQL as it is, anything else as a literal.
    """
    rows: list[tuple[Any, ...]] = yield Execute(compose(text, **parts))
    return rows


def fetch_noted(text: str, commands: list[str], **parts: Any) -> Steps[list[tuple[Any, ...]]]:
    """As `fetch`; notes the statement among the commands that a report gives."""
    op = Execute(compose(text, **parts))
    rows: list[tuple[Any, ...]] = yield op
    commands.append(op.text)
    return rows


def compose(text: str, **parts: Any) -> sql.Composed:
    """SQL with its parts filled in, as `fetch` says."""
    return sql.SQL(text).format(**{
        name: part if isinstance(part, sql.Composable) else sql.Literal(part)
        for name, part in parts.items()})


# --- COPY ---


def _send_block(pgconn: pq.abc.PGconn, block: bytes) -> Generator[Any, Any, None]:
    """Puts a block and waits until libpq has none of it left, so that its buffer cannot grow.

    Meanwhile what the server says is read: it could not go on if nobody took its notices. An
    interrupted wait is begun again, since psycopg 3.2, without a word of what is ready.
    """
    while pgconn.put_copy_data(block) == 0:
        yield psycopg.waiting.Wait.W
    while pgconn.flush() == 1:
        ready = (yield psycopg.waiting.Wait.RW) or 0
        if ready & psycopg.waiting.Ready.R:
            pgconn.consume_input()


def _make_room(pgconn: pq.abc.PGconn) -> Generator[Any, Any, None]:
    """Waits until the end of a COPY can be sent at once, reading meanwhile, which psycopg, when it
    sends that end, does not."""
    while True:
        ready = (yield psycopg.waiting.Wait.RW) or 0
        if ready & psycopg.waiting.Ready.R:
            pgconn.consume_input()
        if ready & psycopg.waiting.Ready.W and pgconn.flush() == 0:
            return


def _blocks(data: bytes | memoryview) -> Iterator[bytes]:
    view = memoryview(data).cast("B")
    for start in range(0, len(view), BLOCK_BYTES):
        yield bytes(view[start:start + BLOCK_BYTES])


def _own_failure(error: psycopg.Error, failure: Optional[BaseException]) -> BaseException:
    """Which error counts when a COPY has ended with `error`: ours, if it is the reason."""
    return error if failure is None else failure


# --- what both drivers do ---


@contextmanager
def _reporting(call: Call, steps: Steps[T]) -> Iterator[None]:
    """Tells the tracker of the start and of an error, and gives errors of psycopg their report."""
    call.tracker.start()
    try:
        yield
    except BaseException as error:
        steps.close()
        call.tracker.failed(error)
        if isinstance(error, psycopg.Error):
            raise with_report(error, call.tracker.report(error)) from error.__cause__
        raise


def _check_usable(conn: Any) -> bool:
    """Does the caller have a transaction in progress?"""
    if conn.pgconn.pipeline_status != pq.PipelineStatus.OFF:
        raise psycopg.NotSupportedError("a connection in pipeline mode cannot be used for COPY")
    status: pq.TransactionStatus = conn.info.transaction_status
    if status == pq.TransactionStatus.INERROR:
        raise psycopg.errors.InFailedSqlTransaction(
            "current transaction is aborted: roll it back before the next call")
    return status == pq.TransactionStatus.INTRANS


def _answer(conn: Any, call: Call, op: Tell | Encoding) -> Any:
    """The result of an operation that the server is not asked for."""
    if isinstance(op, Tell):
        return call.tracker.tell(op.inserted)
    name: str = conn.info.encoding
    return "utf-8" if name == "ascii" else name


def _finished(call: Call, result: T, started: float) -> T:
    if call.finish is not None:
        result = call.finish(result, time.perf_counter() - started)
    return result


# --- blocking ---


@contextmanager
def _connection(given: ConnectionLike) -> Iterator[psycopg.Connection[Any]]:
    if given is None or isinstance(given, str):
        conn = psycopg.connect(given or "")
        try:
            yield conn
        finally:
            conn.close()
    elif isinstance(given, psycopg.Connection):
        yield given
    else:
        raise TypeError("conn must be a psycopg.Connection, a connection string or None, not "
                        f"{type(given).__name__}; for an AsyncConnection call the async_ function")


def _run_operation(conn: psycopg.Connection[Any], call: Call, op: Operation) -> Any:
    if isinstance(op, Pull):
        return op.source.pull()
    if isinstance(op, (Tell, Encoding)):
        return _answer(conn, call, op)
    call.tracker.statement = op.text = op.query.as_string(conn)
    cursor = psycopg.Cursor(conn, row_factory=tuple_row)
    try:
        if isinstance(op, CopyIn):
            return _copy(conn, cursor, op)
        cursor.execute(op.query)
        return cursor.fetchall() if cursor.description is not None else []
    finally:
        cursor.close()


def _copy(conn: psycopg.Connection[Any], cursor: psycopg.Cursor[Any], op: CopyIn) -> int:
    failure: Optional[BaseException] = None
    try:
        with cursor.copy(op.query) as copy:
            try:
                copy.write(COPY_HEADER)  # not as a block: psycopg sends one itself otherwise
                batch = op.first
                while batch is not None:
                    for block in _blocks(op.encode(batch)):
                        conn.wait(_send_block(conn.pgconn, block))
                    batch = op.source.pull()
                conn.wait(_send_block(conn.pgconn, COPY_TRAILER))
            except BaseException as error:
                failure = error
                raise
            finally:
                conn.wait(_make_room(conn.pgconn))
    except psycopg.Error as error:
        raise _own_failure(error, failure) from None
    return cursor.rowcount


def run(call: Call, steps: Steps[T]) -> T:
    """Runs the steps on a blocking connection, and gives what they return."""
    started = time.perf_counter()
    with _reporting(call, steps), _connection(call.conn) as conn, _transaction(conn, call):
        result = _drive(conn, call, steps)
    return _finished(call, result, started)


@contextmanager
def _transaction(conn: psycopg.Connection[Any], call: Call) -> Iterator[None]:
    if _check_usable(conn) and not call.reads_only:
        yield
        return
    with conn.transaction(force_rollback=call.reads_only):
        yield


def _drive(conn: psycopg.Connection[Any], call: Call, steps: Steps[T]) -> T:
    value = None
    while True:
        try:
            op = steps.send(value)
        except StopIteration as stop:
            result: T = stop.value
            return result
        value = _run_operation(conn, call, op)


# --- asyncio ---


@asynccontextmanager
async def _async_connection(given: ConnectionLike) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    if given is None or isinstance(given, str):
        conn = await psycopg.AsyncConnection.connect(given or "")
        try:
            yield conn
        finally:
            await conn.close()
    elif isinstance(given, psycopg.AsyncConnection):
        yield given
    else:
        raise TypeError("conn must be a psycopg.AsyncConnection, a connection string or None, not "
                        f"{type(given).__name__}")


async def _cancellable(conn: psycopg.AsyncConnection[Any], work: Awaitable[T],
                       is_ours: Callable[[], bool] = lambda: False) -> T:
    """Awaits work of the server; where the task is cancelled, cancels it there too and waits for
    the end, so that the connection can roll back. `is_ours` tells whether the work is still with
    us, as rows of a COPY that are awaited; it is then cancelled as well."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        conn.cancel()
        if is_ours():
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise


async def _async_run_operation(conn: psycopg.AsyncConnection[Any], call: Call,
                               op: Operation) -> Any:
    if isinstance(op, Pull):
        return await op.source.async_pull()
    if isinstance(op, (Tell, Encoding)):
        return _answer(conn, call, op)
    call.tracker.statement = op.text = op.query.as_string(conn)
    cursor = psycopg.AsyncCursor(conn, row_factory=tuple_row)
    try:
        if isinstance(op, CopyIn):
            sending = [True]
            return await _cancellable(conn, _async_copy(conn, cursor, op, sending),
                                      lambda: sending[0])
        await _cancellable(conn, cursor.execute(op.query))
        return await cursor.fetchall() if cursor.description is not None else []
    finally:
        await cursor.close()


async def _async_copy(conn: psycopg.AsyncConnection[Any], cursor: psycopg.AsyncCursor[Any],
                      op: CopyIn, sending: list[bool]) -> int:
    failure: Optional[BaseException] = None
    try:
        async with cursor.copy(op.query) as copy:
            try:
                await copy.write(COPY_HEADER)
                batch = op.first
                while batch is not None:
                    for block in _blocks(op.encode(batch)):
                        await conn.wait(_send_block(conn.pgconn, block))
                    batch = await op.source.async_pull()
                await conn.wait(_send_block(conn.pgconn, COPY_TRAILER))
            except BaseException as error:
                failure = error
                raise
            finally:
                sending[0] = False
                await conn.wait(_make_room(conn.pgconn))
    except psycopg.Error as error:
        raise _own_failure(error, failure) from None
    return cursor.rowcount


async def async_run(call: Call, steps: Steps[T]) -> T:
    """Runs the steps on an asyncio connection, and gives what they return."""
    started = time.perf_counter()
    with _reporting(call, steps):
        async with _async_connection(call.conn) as conn, _async_transaction(conn, call):
            result = await _async_drive(conn, call, steps)
    return _finished(call, result, started)


@asynccontextmanager
async def _async_transaction(conn: psycopg.AsyncConnection[Any],
                             call: Call) -> AsyncIterator[None]:
    if _check_usable(conn) and not call.reads_only:
        yield
        return
    async with conn.transaction(force_rollback=call.reads_only):
        yield


async def _async_drive(conn: psycopg.AsyncConnection[Any], call: Call, steps: Steps[T]) -> T:
    value = None
    while True:
        try:
            op = steps.send(value)
        except StopIteration as stop:
            result: T = stop.value
            return result
        value = await _async_run_operation(conn, call, op)


# --- from a function that makes a call to the functions that people use ---

Plan = tuple[Call, Steps[T]]


def blocking(make: Callable[P, Plan[T]]) -> Callable[P, T]:
    """The function that runs what `make` plans."""

    @functools.wraps(make)
    def function(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(*make(*args, **kwargs))

    _present(function, make, make.__name__.removeprefix("_"))
    return function


def awaitable(make: Callable[P, Plan[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Its twin for asyncio, under its name with `async` in front."""

    @functools.wraps(make)
    async def function(*args: P.args, **kwargs: P.kwargs) -> T:
        return await async_run(*make(*args, **kwargs))

    _present(function, make, "async" + make.__name__)
    function.__doc__ = (f"As `{make.__name__.removeprefix('_')}`, in asyncio: `conn` is a "
                        "`psycopg.AsyncConnection`, and rows may come from an async iterator.")
    return function


def _present(function: Callable[..., Any], make: Callable[..., Any], name: str) -> None:
    """Makes `help` and annotations show the name, and the result in place of the plan."""
    function.__name__ = function.__qualname__ = name
    shown: str = make.__annotations__["return"]
    function.__annotations__ = {**make.__annotations__,
                                "return": shown.removeprefix("Plan[").removesuffix("]")}
    del function.__wrapped__  # type: ignore[attr-defined]
    signature = inspect.signature(make)
    function.__signature__ = signature.replace(  # type: ignore[attr-defined]
        return_annotation=function.__annotations__["return"])
