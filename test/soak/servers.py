"""Private clusters: a primary, its standby, ways to end them, and what their logs tell."""

import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import time

from client import Hang, ServerError, Session

# Whatever one of these finds in a log is a finding; a kill of our own is told apart by its signal.
_BAD_LINES = re.compile(
    r"PANIC|TRAP:|runtime error: |canary: |inconsistent page found|terminated by signal (?!9\b)"
    r"|stuck spinlock|\bXX\d\d\d (ERROR|FATAL|WARNING)")

# Of an assert-enabled server alone: its first process is killed while a backend waits for workers. The
# backend ends in FATAL while it aborts, and reports its statistics within a transaction.
_OWN_TRAP = re.compile(r"(?<=postmaster exited during a parallel transaction\n)"
                       r"TRAP: FailedAssertion\(\"!IsTransactionOrTransactionBlock\(\)\", File: \"pgstat\.c\"")

_SETTINGS = """
listen_addresses = ''
port = 5432
fsync = off
autovacuum = off
shared_buffers = 64MB
max_connections = 40
max_prepared_transactions = 20
max_wal_size = 2GB
max_parallel_maintenance_workers = 2
max_worker_processes = 8
restart_after_crash = on
hot_standby_feedback = off
max_standby_streaming_delay = 60s
log_line_prefix = '%m [%p] %e '
log_min_messages = warning
jit = off
"""


class Cluster:
    def __init__(self, folder, pg_bin):
        self.folder = folder
        self.pg_bin = pg_bin
        self.data = os.path.join(folder, "data")
        self.socket = os.path.join(folder, "s")
        self.log = os.path.join(folder, "server.log")
        self.is_running = False
        self._log_read = 0

    def _do(self, program, *arguments, check=True):
        done = subprocess.run([os.path.join(self.pg_bin, program), *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout.decode(errors='replace')[-2000:]}")
        return done.returncode == 0

    def init(self, *settings):
        os.makedirs(self.socket, mode=0o700)
        self._do("initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--no-locale",
                 "--auth=trust", "--no-sync")
        self._configure(_SETTINGS, *settings)

    def _configure(self, *settings):
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write("\n".join(settings) + f"\nunix_socket_directories = '{self.socket}'\n")

    def start(self):
        """Starts the server. After a kill its old processes may take a while to be gone, a long
        build on a busy machine the longest."""
        until = time.monotonic() + 90
        while not self._do("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "120", "start",
                           check=False):
            if time.monotonic() > until:
                with open(self.log, encoding="utf-8", errors="replace") as file:
                    raise RuntimeError("the server did not start:\n" + file.read()[-2000:]
                                       + "\nStill there:\n" + "\n".join(self._processes()))
            time.sleep(0.2)
        self.is_running = True

    def _processes(self):
        """Title and processor time of each process that works in the data directory."""
        for path in glob.glob("/proc/[0-9]*"):
            try:
                if os.readlink(path + "/cwd") != self.data:
                    continue
                with open(path + "/cmdline", "rb") as file:
                    title = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
                with open(path + "/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            yield f"{path[6:]} {title}: {seconds:.1f} s"

    def disable_checksums(self):
        """Leaves changed pages of the server, which does not run, to us: initdb of PostgreSQL 18 and
        later makes checksums. Does nothing where there are none."""
        self._do("pg_checksums", "--disable", "--no-sync", "-D", self.data, check=False)

    def stop(self, mode="fast"):
        if self.is_running:
            self.is_running = False
            self._do("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "120", "stop", check=False)

    def postmaster(self):
        with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
            return int(file.readline())

    def kill(self):
        """Ends the server as a power cut would: kill -9 of its first process, and a new start."""
        os.kill(self.postmaster(), signal.SIGKILL)
        self.is_running = False
        time.sleep(0.2)
        self.start()

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def conninfo(self, database):
        return f"host={self.socket} port=5432 user=postgres dbname={database}"

    def session(self, database="postgres", record=None, settings=()):
        """A session; while the server recovers from a crash, one that waits for it."""
        for attempt in range(600):
            try:
                return Session(self.conninfo(database), record, settings)
            except ServerError:
                if attempt == 599:
                    raise
                time.sleep(0.1)
        return None

    def new_database(self, name):
        self.drop_database(name)
        session = self.session()
        session.run(f"CREATE DATABASE {name}")
        session.close()
        session = self.session(name)
        session.run("CREATE EXTENSION vector_ext")
        session.close()

    def drop_database(self, name):
        """Drops it, with the sessions and prepared transactions that a finding left there."""
        session = self.session()
        prepared = session.rows(f"SELECT gid FROM pg_prepared_xacts WHERE database = '{name}'")
        if prepared:
            there = self.session(name)
            for row in prepared:
                there.run(f"ROLLBACK PREPARED '{row[0]}'")
            there.close()
        session.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        session.close()

    # --- a standby ---

    def make_standby(self, folder):
        standby = Cluster(folder, self.pg_bin)
        os.makedirs(standby.socket, mode=0o700)
        self._do("pg_basebackup", "-h", self.socket, "-p", "5432", "-U", "postgres", "-D",
                 standby.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-C",
                 "-S", "standby")
        standby._configure()
        standby.start()
        return standby

    def forget_standby(self):
        """Keeps no WAL for a standby that is gone."""
        session = self.session()
        session.attempt("SELECT pg_drop_replication_slot('standby')")
        session.close()

    def promote(self):
        self._do("pg_ctl", "-D", self.data, "-w", "-t", "120", "promote")

    def wait_for(self, lsn, seconds=120):
        """Waits until a standby has replayed up to `lsn`; false when it does not."""
        session = self.session()
        end = time.monotonic() + seconds
        done = False
        while not done and time.monotonic() < end:
            done = session.value(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == "t"
            if not done:
                time.sleep(0.05)
        session.close()
        return done

    # --- the log ---

    def last_lines(self, n=5):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-n:])

    def bad_lines(self, allowed=None):
        """Lines of the log since the last call that no server of ours should write, but those that
        `allowed` matches."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, "rb") as file:
            file.seek(self._log_read)
            text = file.read()
            self._log_read = file.tell()
        lines = _OWN_TRAP.sub("", text.decode(errors="replace")).splitlines()
        return [line for line in lines
                if _BAD_LINES.search(line) and not (allowed and re.search(allowed, line))]


class Held:
    """A statement of another session that runs in slices only: between them its process is
    stopped, so that others meet it half-way, at whatever point that is.

    Who waits for a lock that the stopped process holds gets it by further slices."""

    def __init__(self, session, sql, seconds=0.001):
        self.session = session
        session.start(sql)
        time.sleep(seconds)
        self._signal(signal.SIGSTOP)

    def _signal(self, number):
        try:
            os.kill(self.session.pid, number)
        except ProcessLookupError:
            pass

    def slice(self, seconds=0.001):
        self._signal(signal.SIGCONT)
        time.sleep(seconds)
        self._signal(signal.SIGSTOP)

    def is_done(self):
        return not self.session.is_busy()

    def beside(self, session, sql):
        """Runs `sql` in another session while this one stands still, as far as that goes."""
        with self.standing(session):
            return session.rows(sql)

    @contextlib.contextmanager
    def standing(self, session):
        """Within, statements of `session` that wait give this one further slices."""
        session.while_waiting = self.slice
        try:
            yield
        finally:
            session.while_waiting = None

    def run_until(self, holds, seconds=0.001, limit=60.0):
        """Runs slices until `holds()`; false when the statement ended before."""
        end = time.monotonic() + limit
        while not self.is_done() and time.monotonic() < end:
            if holds():
                return True
            self.slice(seconds)
        return False

    def finish(self, cancel=False):
        """Lets the statement end; its rows."""
        if cancel:
            self.session.cancel()
            # The cancel is a signal, too, sent by a process that the server has yet to start.
            time.sleep(0.1)
        self._signal(signal.SIGCONT)
        if cancel and not self.session.wait(self.session.mercy):
            raise Hang(f"not cancelled within {self.session.mercy} s: {self.session.sql[:500]}")
        return self.session.finish()

    def release(self):
        self._signal(signal.SIGCONT)
