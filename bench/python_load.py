#!/usr/bin/python3
"""Measures loading from Python beside psql's \\copy of the same rows, on a running server (started
by bench/python)."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import psycopg

from generate import COPY_HEADER, COPY_TRAILER, generated_chunks, row_type

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../client/python"))

import vector_ext  # noqa: E402


def write_copy_file(path, vectors):
    rows = np.zeros(len(vectors), row_type(vectors.shape[1]))
    rows["n_fields"], rows["id_bytes"], rows["id"] = 2, 8, np.arange(len(vectors))
    n_dims = vectors.shape[1]
    rows["v_bytes"], rows["n_dims"], rows["v"] = 4 + 4 * n_dims, n_dims, vectors
    with open(path, "wb") as file:
        file.write(COPY_HEADER)
        rows.tofile(file)
        file.write(COPY_TRAILER)


def timed(work):
    """Seconds of the clock and of this process's CPU."""
    started = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started[0], time.process_time() - started[1]


def load(embeddings):
    vector_ext.bulk_build_index(embeddings, "items", index="none", analyze=False, quiet=True)


def main():
    parser = argparse.ArgumentParser(prog="bench/python", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dims", type=int, default=768)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    conn = psycopg.connect(autocommit=True)
    conn.execute("CREATE EXTENSION vector_ext")
    with tempfile.TemporaryDirectory() as folder:
        copy_file, npy_file = os.path.join(folder, "rows.copy"), os.path.join(folder, "rows.npy")
        vectors = np.concatenate(list(generated_chunks(options.rows, options.dims, 1))).astype("f4")
        write_copy_file(copy_file, vectors)
        np.save(npy_file, vectors)
        mapped = np.load(npy_file, mmap_mode="r")
        ways = {
            r"psql \copy of a ready file": lambda: subprocess.run(
                ["psql", "-Xqc", rf"\copy items FROM '{copy_file}' (FORMAT binary)"], check=True),
            "array of float32": lambda: load(vectors),
            "mapped .npy file": lambda: load(mapped),
            "iterator of rows": lambda: load(iter(vectors)),
        }
        seconds = {way: [] for way in ways}
        for _ in range(options.turns):
            for way, work in ways.items():
                conn.execute("DROP TABLE IF EXISTS items")
                conn.execute("CREATE TABLE items (id bigint PRIMARY KEY, embedding "
                             f"vector({options.dims}))")
                conn.execute("ALTER TABLE items ALTER embedding SET STORAGE PLAIN")
                conn.execute("CHECKPOINT")
                seconds[way].append(timed(work))
        base = None
        print(f"{options.rows:,} x {options.dims}, medians of {options.turns}")
        for way, pairs in seconds.items():
            clock, cpu = (statistics.median(column) for column in zip(*pairs))
            base = base or clock
            print(f"{way:28} {clock:6.2f} s  {options.rows / clock:8.0f} rows/s  "
                  f"{clock / base:5.2f} times  CPU of Python {cpu:5.2f} s")
        n_rows = min(10_000, options.rows)
        conn.execute("DROP TABLE items")
        clocks = []
        for _ in range(options.turns):
            conn.execute("DROP TABLE IF EXISTS searchable")
            clocks.append(timed(lambda: vector_ext.bulk_build_index(
                np.load(npy_file, mmap_mode="r")[:n_rows], "searchable", quiet=True))[0])
        clock = statistics.median(clocks)
        print(f"{n_rows:,} rows from file to searchable index: {clock:.2f} s, {n_rows / clock:.0f} "
              "vectors/s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory of Python: {peak} MB, "
          f"{vectors.nbytes >> 20} MB of it the array")


if __name__ == "__main__":
    main()
