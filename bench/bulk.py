#!/usr/bin/python3
"""Measures vector-bulk beside psql, and its conversions, on a running server (started by
bench/bulk)."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import psycopg

from generate import generated_chunks

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../client/python"))

import vector_ext  # noqa: E402

BINARY = {"npy": "rows.npy", "f32": "rows.f32", "fvecs": "rows.fvecs", "copy-binary": "rows.copy"}
TEXT = {"csv": "rows.csv", "jsonl": "rows.jsonl"}


class Bench:
    def __init__(self, options):
        self.options = options
        self.conn = psycopg.connect(autocommit=True)
        self.conn.execute("CREATE EXTENSION IF NOT EXISTS vector_ext")
        with open(f"/proc/{self.conn.info.backend_pid}/stat", encoding="ascii") as file:
            self.postmaster = file.read().rpartition(")")[2].split()[1]

    def server_cpu(self):
        """Of all backends that have ended."""
        with open(f"/proc/{self.postmaster}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def turns(self, ways, before):
        """Runs all ways in turns; for each the lists of seconds, CPU of the client, of the
        server."""
        figures = {way: [] for way in ways}
        for _ in range(self.options.turns):
            for way, command in ways.items():
                before()
                server, started, cpu = self.server_cpu(), time.perf_counter(), os.times()
                if callable(command):
                    command()
                else:
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                seconds, after = time.perf_counter() - started, os.times()
                time.sleep(0.2)  # until the backends are gone
                client = (after.children_user + after.children_system
                          - cpu.children_user - cpu.children_system)
                figures[way].append((seconds, client, self.server_cpu() - server))
        return {way: [statistics.median(column) for column in zip(*rows)]
                for way, rows in figures.items()}

    def make_files(self, n_rows):
        np.save("rows.npy",
                np.concatenate(list(generated_chunks(n_rows, self.options.dims, 1))).astype("<f4"))
        for path in ("rows.f32", "rows.fvecs", "rows.csv", "rows.copy"):
            subprocess.run(["vector-bulk", "convert", "rows.npy", "-o", path, "--quiet"], check=True)
        with (open("rows.csv", encoding="ascii") as rows, open("rows.txt", "w") as text,
              open("rows.jsonl", "w") as json):
            next(rows)
            for line in rows:
                number, vector = line.rstrip('"\n').split(',"')
                text.write(f"{number}\t{vector}\n")
                json.write(f'{{"id": {number}, "embedding": {vector}}}\n')

    def make_table(self):
        self.conn.execute("DROP TABLE IF EXISTS items, fresh")
        self.conn.execute("CREATE TABLE items (id bigint PRIMARY KEY, "
                          f"embedding vector({self.options.dims}))")
        self.conn.execute("ALTER TABLE items ALTER embedding SET STORAGE PLAIN")
        self.conn.execute("CHECKPOINT")

    def load(self):
        def bulk(path, *options):
            return ["vector-bulk", "load", path, "--quiet", *(options or ("--table", "items"))]

        new = ("--table", "fresh", "--create")
        ways = {
            r"psql \copy, text": ["psql", "-Xqc", r"\copy items FROM 'rows.txt'"],
            r"psql \copy, binary": ["psql", "-Xqc",
                                    r"\copy items FROM 'rows.copy' (FORMAT binary)"],
            "vector-bulk, .csv": bulk("rows.csv"),
            "vector-bulk, .jsonl": bulk("rows.jsonl"),
            "vector-bulk, .npy": bulk("rows.npy"),
            "vector-bulk, .npy, -t 2": bulk("rows.npy", "--table", "items", "-t", "2"),
            "vector-bulk, .npy, new table": bulk("rows.npy", *new),
            "vector-bulk, .npy, new table, -t 2": bulk("rows.npy", *new, "-t", "2"),
        }
        figures = self.turns(ways, self.make_table)
        base = figures[r"psql \copy, text"][0]
        print(f"{self.options.rows:,} x {self.options.dims}, medians of {self.options.turns}: "
              "seconds, times as fast as text, CPU seconds of client and server")
        for way, (seconds, client, server) in figures.items():
            print(f"{way:36} {seconds:6.2f} {base / seconds:6.2f} {client:6.2f} {server:6.2f}")

    def index(self):
        np.save("few.npy", np.load("rows.npy", mmap_mode="r")[:10_000])
        ways = {
            "vector-bulk": ["vector-bulk", "load", "few.npy", "--table", "fresh", "--create",
                            "--index", "after", "--quiet"],
            "vector-bulk, -t 2": ["vector-bulk", "load", "few.npy", "--table", "fresh",
                                  "--create", "--index", "after", "--quiet", "-t", "2"],
            "Python": lambda: vector_ext.bulk_build_index(np.load("few.npy", mmap_mode="r"),
                                                          "fresh", quiet=True),
        }
        print("10,000 rows from a file to a searchable index: seconds, CPU of client and server")
        for way, figures in self.turns(ways, self.make_table).items():
            print(f"{way:36}", *(f"{figure:6.2f}" for figure in figures))

    def convert(self):
        def remove():
            if os.path.exists("out"):
                os.unlink("out")

        ways = {"cp": ["cp", "--reflink=never", "rows.npy", "out"]}
        for source, path in {**BINARY, **TEXT}.items():
            for target in BINARY if source in BINARY else ("npy",):
                ways[f"{source} to {target}"] = ["vector-bulk", "convert", path, "-o", "out", "--to",
                                                 target, "--quiet"]
        ways["npy to csv"] = ["vector-bulk", "convert", "rows.npy", "-o", "out", "--to", "csv",
                              "--quiet"]
        print("conversions: GB of vectors a second, by the clock and by CPU")
        n_bytes = 4 * self.options.rows * self.options.dims
        for way, (seconds, client, _) in self.turns(ways, remove).items():
            print(f"{way:36} {n_bytes / seconds / 1e9:6.2f} {n_bytes / client / 1e9:6.2f}")


def main():
    parser = argparse.ArgumentParser(prog="bench/bulk", description=__doc__)
    parser.add_argument("what", nargs="*", default=["load", "index", "convert"])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dims", type=int, default=768)
    parser.add_argument("--turns", type=int, default=5)
    bench = Bench(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        bench.make_files(bench.options.rows)
        for what in bench.options.what:
            getattr(bench, what)()
        os.chdir("/")


if __name__ == "__main__":
    main()
