"""Sessions with a server over libpq, called by ctypes: nothing to install but the library."""

import ctypes
import select
import time

_pq = ctypes.CDLL("libpq.so.5")
_P = ctypes.c_void_p


def _declare(name, result, *arguments):
    function = getattr(_pq, name)
    function.restype = result
    function.argtypes = arguments
    return function


_connect = _declare("PQconnectdb", _P, ctypes.c_char_p)
_status = _declare("PQstatus", ctypes.c_int, _P)
_error = _declare("PQerrorMessage", ctypes.c_char_p, _P)
_finish = _declare("PQfinish", None, _P)
_pid = _declare("PQbackendPID", ctypes.c_int, _P)
_socket = _declare("PQsocket", ctypes.c_int, _P)
_send = _declare("PQsendQuery", ctypes.c_int, _P, ctypes.c_char_p)
_consume = _declare("PQconsumeInput", ctypes.c_int, _P)
_is_busy = _declare("PQisBusy", ctypes.c_int, _P)
_result = _declare("PQgetResult", _P, _P)
_result_status = _declare("PQresultStatus", ctypes.c_int, _P)
_result_message = _declare("PQresultErrorMessage", ctypes.c_char_p, _P)
_result_field = _declare("PQresultErrorField", ctypes.c_char_p, _P, ctypes.c_int)
_n_rows = _declare("PQntuples", ctypes.c_int, _P)
_n_columns = _declare("PQnfields", ctypes.c_int, _P)
_value = _declare("PQgetvalue", ctypes.c_char_p, _P, ctypes.c_int, ctypes.c_int)
_is_null = _declare("PQgetisnull", ctypes.c_int, _P, ctypes.c_int, ctypes.c_int)
_clear = _declare("PQclear", None, _P)
_put_data = _declare("PQputCopyData", ctypes.c_int, _P, ctypes.c_char_p, ctypes.c_int)
_put_end = _declare("PQputCopyEnd", ctypes.c_int, _P, ctypes.c_char_p)
_get_cancel = _declare("PQgetCancel", _P, _P)
_free_cancel = _declare("PQfreeCancel", None, _P)
_cancel = _declare("PQcancel", ctypes.c_int, _P, ctypes.c_char_p, ctypes.c_int)
_transaction = _declare("PQtransactionStatus", ctypes.c_int, _P)
_notices = ctypes.CFUNCTYPE(None, _P, ctypes.c_char_p)
_set_notices = _declare("PQsetNoticeProcessor", _P, _P, _notices, _P)
_drop_notice = _notices(lambda _argument, _message: None)

_COPY_IN = 4
_FAILED = (5, 7)
_IDLE = 0


class ServerError(Exception):
    """An error that the server reported; `sqlstate` is 08006 when the connection is gone."""

    def __init__(self, sqlstate, message, sql=""):
        super().__init__(f"{sqlstate} {message}")
        self.sqlstate = sqlstate
        self.message = message
        self.sql = sql


class Hang(Exception):
    """A statement that went on after it was cancelled."""


class Session:
    """One connection. A statement that runs for `patience` seconds raises Hang, which says what the
    server's processes waited for; it is cancelled, and has `mercy` seconds to end."""

    patience = 300.0
    mercy = 10.0

    def __init__(self, conninfo, record=None, settings=()):
        self.conninfo = conninfo
        self.record = record
        # What is called again and again while a statement is waited for, or None.
        self.while_waiting = None
        self._c = _connect(conninfo.encode())
        if _status(self._c) != 0:
            message = _error(self._c).decode(errors="replace").strip()
            _finish(self._c)
            self._c = None
            raise ServerError("08006", message)
        _set_notices(self._c, _drop_notice, None)
        self.pid = _pid(self._c)
        for setting in settings:
            self.run(setting)

    def close(self):
        if self._c is not None:
            _finish(self._c)
            self._c = None

    def in_transaction(self):
        return _transaction(self._c) != _IDLE

    # --- a statement that is waited for ---

    def rows(self, sql):
        """The rows of the last statement of `sql`, as tuples of texts or None."""
        self.start(sql)
        return self.finish()

    def run(self, sql):
        self.rows(sql)

    def value(self, sql):
        return self.rows(sql)[0][0]

    def attempt(self, sql):
        """Runs `sql`; the SQLSTATE of its error, or None."""
        try:
            self.rows(sql)
        except ServerError as error:
            return error.sqlstate
        return None

    def copy(self, sql, data):
        """COPY ... FROM STDIN of the bytes `data`."""
        self.start(sql, data)
        return self.finish()

    # --- a statement that runs on its own ---

    def start(self, sql, data=None):
        if self._c is None:
            raise ServerError("08006", "the session is closed", sql)
        if self.record:
            self.record(sql, data)
        self.sql = sql
        if not _send(self._c, sql.encode()):
            raise ServerError("08006", _error(self._c).decode(errors="replace").strip(), sql)
        if data is not None:
            self._send_data(data)

    def _send_data(self, data):
        """Sends the data of a COPY, or raises what the server says to its beginning."""
        self.wait(self.patience)
        result = _result(self._c)
        status = _result_status(result) if result else None
        if status == _COPY_IN:
            _clear(result)
            _put_data(self._c, data, len(data))
            _put_end(self._c, None)
            return
        error = _error_of(result, self.sql) if result else None
        if result:
            _clear(result)
        self.finish()
        raise error or ServerError("08006", "no COPY began", self.sql)

    def is_busy(self):
        if not _consume(self._c):
            return False
        return bool(_is_busy(self._c))

    def wait(self, seconds):
        """Waits until the statement's result is there; false when it is not after `seconds`."""
        end = time.monotonic() + seconds
        while self.is_busy():
            left = end - time.monotonic()
            if left <= 0:
                return False
            select.select([_socket(self._c)], [], [], min(left, 0.1 if self.while_waiting else 1.0))
            if self.while_waiting and self.is_busy():
                self.while_waiting()
        return True

    def cancel(self):
        if self._c is None:
            return
        handle = _get_cancel(self._c)
        _cancel(handle, ctypes.create_string_buffer(256), 256)
        _free_cancel(handle)

    def finish(self):
        rows, error, was_cancelled, waits = [], None, False, ""
        while True:
            if not self.wait(self.mercy if was_cancelled else self.patience):
                if was_cancelled:
                    raise Hang(f"not cancelled within {self.mercy} s: {self.sql[:500]}")
                waits = self._who_waits()
                self.cancel()
                was_cancelled = True
                continue
            result = _result(self._c)
            if not result:
                break
            status = _result_status(result)
            if status in _FAILED:
                error = error or _error_of(result, self.sql)
            else:
                rows = _fetch(result)
            _clear(result)
        if _status(self._c) != 0:
            if error is None or error.sqlstate[:3] not in ("57P", "08P"):
                error = ServerError("08006", "the connection is gone", self.sql)
            self.close()
        if was_cancelled:
            raise Hang(f"took {self.patience} s: {self.sql[:500]}; {waits}")
        if error is not None:
            raise error
        return rows

    def _who_waits(self):
        try:
            other = Session(self.conninfo)
            rows = other.rows("SELECT pid, state, wait_event, pg_blocking_pids(pid), left(query, 80) "
                              "FROM pg_stat_activity WHERE datname = current_database()")
            rows += other.rows("SELECT gid, prepared FROM pg_prepared_xacts")
            other.close()
            return str(rows)
        except ServerError as error:
            return str(error)


def _error_of(result, sql):
    return ServerError((_result_field(result, ord("C")) or b"08006").decode(),
                       _result_message(result).decode(errors="replace").strip(), sql)


def _fetch(result):
    columns = range(_n_columns(result))
    return [tuple(None if _is_null(result, row, column) else _value(result, row, column).decode()
                  for column in columns) for row in range(_n_rows(result))]
