"""The vectors of a benchmark: binary COPY files made by generate.py, kept between runs, read back
as arrays, and their exact neighbours."""

import os
import subprocess
import sys

import numpy as np

from generate import COPY_HEADER, COPY_TRAILER, row_type

HERE = os.path.dirname(os.path.abspath(__file__))


class Dataset:
    """Files `base`, `queries` and `spare` (rows that are neither) of (id bigint, v vector)."""

    def __init__(self, options):
        real = options.data
        self.description = (f"real data of {os.path.basename(os.path.normpath(real))}" if real
                            else f"generated, seed {options.seed}")
        name = f"{os.path.basename(os.path.normpath(real))}-" if real else ""
        self.folder = os.path.join(
            HERE, "../build/bench", f"{name}{options.rows}x{options.dims}-{options.queries}"
            f"-{options.spare}-seed{options.seed}")
        if not os.path.exists(self.path("done")):
            self.make(options)
        with open(self.path("done"), encoding="ascii") as file:
            self.rows, self.dims, self.queries, self.spare = map(int, file.read().split())

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, options):
        os.makedirs(self.folder, exist_ok=True)
        source = (["--data", options.data] if options.data else
                  ["--dims", str(options.dims), "--seed", str(options.seed)])
        made = subprocess.run(
            [sys.executable, os.path.join(HERE, "generate.py"), "--rows", str(options.rows),
             "--queries", str(options.queries + options.spare), *source,
             self.path("base"), self.path("held_out")],
            check=True, capture_output=True, text=True, timeout=options.limit).stdout
        rows, dims, held_out = map(int, made.split())
        queries = min(options.queries, held_out)
        self.dims = dims
        held_out_rows = self.read("held_out", held_out)
        self.write("queries", held_out_rows[:queries], 1)
        self.write("spare", held_out_rows[queries:], 1)
        os.remove(self.path("held_out"))
        with open(self.path("done"), "w", encoding="ascii") as file:
            print(rows, dims, queries, held_out - queries, file=file)

    def read(self, name, n_rows):
        return np.memmap(self.path(name), row_type(self.dims), "r", len(COPY_HEADER), (n_rows,))

    def write(self, name, rows, first_id):
        """Writes rows as a COPY file, their ids counting from `first_id`."""
        rows = rows.copy()
        rows["id"] = np.arange(first_id, first_id + len(rows))
        with open(self.path(name), "wb") as file:
            file.write(COPY_HEADER)
            rows.tofile(file)
            file.write(COPY_TRAILER)

    def part(self, start, n_rows, first_id=None):
        """The COPY file of `n_rows` rows of the base behind its first `start`, kept beside the data;
        with the ids that they have there, or such as count from `first_id`."""
        first_id = first_id or start + 1
        name = f"base-{start}-{n_rows}-{first_id}"
        if not os.path.exists(self.path(name)):
            self.write("part", self.read("base", self.rows)[start:start + n_rows], first_id)
            os.replace(self.path("part"), self.path(name))
        return self.path(name)

    def exact_neighbours(self, k, n_rows=None):
        """The ids of the k nearest rows of every query by L2, of all the base or its first `n_rows`:
        nearest candidates by matrix products in float32, then distances in float64. Kept beside the
        data."""
        n_rows = n_rows or self.rows
        path = self.path(f"neighbours{k}-{n_rows}.npy")
        if not os.path.exists(path):
            base = self.read("base", self.rows)[:n_rows]
            queries = self.read("queries", self.queries)["v"].astype(np.float32)
            chunks = [self.nearest_in(base, start, queries, k)
                      for start in range(0, n_rows, 20_000)]
            distances = np.concatenate([chunk[0] for chunk in chunks], axis=1)
            ids = np.concatenate([chunk[1] for chunk in chunks], axis=1)
            order = np.argsort(distances, axis=1, kind="stable")[:, :k]
            np.save(path, np.take_along_axis(ids, order, axis=1))
        return np.load(path)

    @staticmethod
    def nearest_in(base, start, queries, k):
        """Distances and ids of 3k candidates of each query among 20,000 rows."""
        rows = base[start:start + 20_000]
        vectors = rows["v"].astype(np.float32)
        rough = (vectors * vectors).sum(1)[None] - 2 * queries @ vectors.T
        n = min(3 * k, len(rows))
        found = np.argpartition(rough, n - 1, axis=1)[:, :n]
        distances = np.array([((vectors[ids].astype(np.float64) - query) ** 2).sum(1)
                              for ids, query in zip(found, queries)])
        return distances, rows["id"].astype(np.int64)[found]
