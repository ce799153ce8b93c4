"""One of two databases of a running server (PGHOST and PGUSER say which), and what it costs to run
something there. Every call is bounded in time, by the server and here."""

import glob
import os
import re
import subprocess
import sys
import threading
import time


class Side:
    """A database `name` that holds the extension `extension`, and the tables t (the base), q (the
    queries) and spare (rows to insert), each of (id bigint, v vector)."""

    def __init__(self, name, extension, limit_s):
        self.name = name
        self.extension = extension
        self.limit_s = limit_s

    def __str__(self):
        return self.name

    def run(self, command, settings, stdin=""):
        settings = {"statement_timeout": f"{self.limit_s}s", "client_min_messages": "warning",
                    **settings}
        environment = {**os.environ, "PGDATABASE": self.name,
                       "PGOPTIONS": " ".join(f"-c {key}={value}"
                                             for key, value in settings.items())}
        try:
            done = subprocess.run(command, input=stdin, env=environment, text=True,
                                  capture_output=True, timeout=self.limit_s + 60)
        except subprocess.TimeoutExpired:
            sys.exit(f"{self}: {command[0]} took more than {self.limit_s} s")
        if done.returncode != 0:
            sys.exit(f"{self}: {command[0]} failed:\n{done.stderr.strip()}")
        return done

    def psql(self, script, settings):
        return self.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"],
                        settings, script)

    def sql(self, script, **settings):
        """The output of psql, as tuples only."""
        return self.psql(script, settings).stdout.strip()

    def costs(self, before, timed, **settings):
        """Milliseconds and CPU milliseconds of every statement of the script `timed`, which runs
        after the script `before`. The CPU time is that of the session's own process."""
        done = self.psql(f"{before};\n"
                         "SET client_min_messages = log; SET log_statement_stats = on;\n"
                         + timed, settings)
        return [(1000 * float(elapsed), 1000 * (float(user) + float(system)))
                for user, system, elapsed in re.findall(
                    r"^!\s+([0-9.]+) s user, ([0-9.]+) s system, ([0-9.]+) s elapsed",
                    done.stderr, re.M)]

    def pgbench(self, script, clients, how_long, **settings):
        """Runs a script of prepared statements, `how_long` being pgbench's -T or -t. Returns
        milliseconds of one transaction and transactions a second."""
        out = self.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(clients),
                        "--random-seed=1", "-f", "/dev/stdin", *how_long], settings, script).stdout
        if re.search(r"number of failed transactions: [1-9]", out):
            sys.exit(f"{self}: transactions failed:\n{out}")
        latency = re.search(r"^latency average = ([0-9.]+) ms", out, re.M)
        rate = re.search(r"^tps = ([0-9.]+)", out, re.M)
        return float(latency[1]), float(rate[1])

    def version(self):
        return f"{self.extension} " + self.sql(
            f"SELECT extversion FROM pg_extension WHERE extname = '{self.extension}'")

    def create(self):
        """Makes the database."""
        Side("postgres", None, self.limit_s).sql(f"CREATE DATABASE {self.name}")
        self.sql(f"CREATE EXTENSION pg_prewarm; CREATE EXTENSION {self.extension}")

    def prepare(self, dims, storage):
        """Makes the database and its empty tables."""
        self.create()
        self.sql(f"""
            CREATE TABLE t (id bigint, v vector({dims}));
            CREATE TABLE q (id bigint PRIMARY KEY, v vector({dims}));
            CREATE TABLE spare (id bigint PRIMARY KEY, v vector({dims}));
            ALTER TABLE t ALTER COLUMN v SET STORAGE {storage};
            ALTER TABLE q ALTER COLUMN v SET STORAGE {storage};
            ALTER TABLE spare ALTER COLUMN v SET STORAGE {storage};
            CREATE SEQUENCE next_spare; CREATE SEQUENCE next_id START 1000000001""")

    def save(self):
        """Keeps the database as it is now, for restore()."""
        Side("postgres", None, self.limit_s).sql(
            f"CREATE DATABASE {self.name}_saved TEMPLATE {self.name} STRATEGY file_copy")

    def restore(self):
        """Makes the database what it was at save(); a checkpoint goes before."""
        Side("postgres", None, self.limit_s).sql(
            f"DROP DATABASE {self.name};"
            f"CREATE DATABASE {self.name} TEMPLATE {self.name}_saved STRATEGY file_copy")

    def wal(self, work):
        """The result of work(), the bytes of WAL that all sessions wrote meanwhile, and how many of
        them are images of whole pages."""
        position = "SELECT pg_current_wal_insert_lsn()"
        start = self.sql(position)
        result = work()
        end = self.sql("SELECT pg_switch_wal()")
        folder = self.sql("SHOW data_directory")
        stats = self.run(["pg_waldump", "--stats", "-p", f"{folder}/pg_wal", "-s", start,
                          "-e", end], {}).stdout
        total = re.search(r"^Total\s+\d+\s+(\d+) \[.*?\]\s+(\d+) ", stats, re.M)
        records, images = map(int, total.groups())
        return result, records + images, images


class PhaseWatch:
    """How long each phase of an index build was seen on a side, looked at twenty times a second."""

    def __init__(self, side):
        self.side = side
        self.phases = {}  # name: seconds

    def __enter__(self):
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t"], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     env={**os.environ, "PGDATABASE": self.side.name})
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.psql.communicate()

    def watch(self):
        before = time.monotonic()
        while not self.stop.wait(0.05):
            self.psql.stdin.write("SELECT coalesce(max(phase), '') "
                                  "FROM pg_stat_progress_create_index;\n")
            self.psql.stdin.flush()
            phase = self.psql.stdout.readline().strip().removeprefix("building index: ")
            now = time.monotonic()
            if phase:
                self.phases[phase] = self.phases.get(phase, 0) + now - before
            before = now


class MemoryWatch:
    """The most memory that building an index took beyond the shared buffers: private memory of the
    processes at it, and dynamic shared memory. Sampled ten times a second."""

    def __enter__(self):
        self.peak = 0
        self.base = self.dynamic_shared()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def watch(self):
        while not self.stop.wait(0.1):
            used = self.private() + self.dynamic_shared() - self.base
            self.peak = max(self.peak, used)

    @staticmethod
    def dynamic_shared():
        total = 0
        for path in glob.glob("/dev/shm/PostgreSQL.*"):
            try:
                total += os.stat(path).st_blocks * 512
            except FileNotFoundError:
                pass
        return total

    @staticmethod
    def private():
        total = 0
        for process in glob.glob("/proc/[0-9]*"):
            try:
                with open(process + "/cmdline", encoding="utf-8", errors="replace") as file:
                    title = file.read()
                if title.startswith("postgres:") and re.search("CREATE INDEX|parallel worker",
                                                               title):
                    with open(process + "/status", encoding="utf-8") as file:
                        total += 1024 * int(re.search(r"^RssAnon:\s*(\d+)", file.read(), re.M)[1])
            except (FileNotFoundError, ProcessLookupError, TypeError):
                pass
        return total
