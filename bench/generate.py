#!/usr/bin/python3
"""Writes vectors as binary COPY files of rows (id bigint, v vector): generated ones, or real data.

    bench/generate.py [--rows N] [--dims D] [--queries Q] [--seed S] [--data FOLDER] BASE QUERIES

Generated vectors are clusters with a decaying spectrum: 64 parents and 4,096 children of them, whose
weights are heavy-tailed; noise, and a common offset; coordinate i scaled by i^-0.55 before one random
rotation; of length 1. The queries are the last rows drawn, so they are never rows of the base.

With --data, rows come from base*.npy[.gz] and queries*.npy[.gz] (float32 or uint8) of that folder, no
more than --rows and --queries of them.

Prints `rows dims queries`.
"""

import argparse
import glob
import gzip
import os
import sys

import numpy as np

N_PARENTS = 64
N_CHILDREN = 4096
CHUNK_ROWS = 10_000

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER = b"\xff\xff"


def row_type(dims):
    """A row of such a file as NumPy reads it."""
    return np.dtype([("n_fields", ">i2"), ("id_bytes", ">i4"), ("id", ">i8"), ("v_bytes", ">i4"),
                     ("n_dims", ">u2"), ("unused", ">i2"), ("v", ">f4", (dims,))])


class CopyFile:
    """A binary COPY file that rows are appended to; ids count from 1."""

    def __init__(self, path, dims):
        self.row = row_type(dims)
        self.dims = dims
        self.n_rows = 0
        self.file = open(path, "wb")
        self.file.write(COPY_HEADER)

    def write(self, vectors):
        rows = np.zeros(len(vectors), self.row)
        rows["n_fields"] = 2
        rows["id_bytes"] = 8
        rows["id"] = np.arange(self.n_rows + 1, self.n_rows + 1 + len(vectors))
        rows["v_bytes"] = 4 + 4 * self.dims
        rows["n_dims"] = self.dims
        rows["v"] = vectors
        rows.tofile(self.file)
        self.n_rows += len(vectors)

    def close(self):
        self.file.write(COPY_TRAILER)
        self.file.close()


def generated_chunks(n_rows, dims, seed):
    """Yields arrays of at most CHUNK_ROWS generated vectors, `n_rows` in all."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, dims + 1, dtype=np.float32) ** np.float32(-0.55)

    def scaled_normal(n):
        return rng.standard_normal((n, dims), dtype=np.float32) * spectrum

    parents = scaled_normal(N_PARENTS)
    centres = (parents[rng.integers(N_PARENTS, size=N_CHILDREN)] + 0.9 * scaled_normal(N_CHILDREN)
               + 0.3 * spectrum)
    weights = rng.pareto(1.0, N_CHILDREN) + 0.1
    weights /= weights.sum()
    rotation = np.linalg.qr(rng.standard_normal((dims, dims)))[0].astype(np.float32)

    for start in range(0, n_rows, CHUNK_ROWS):
        n = min(CHUNK_ROWS, n_rows - start)
        chosen = rng.choice(N_CHILDREN, size=n, p=weights)
        width = (0.6 + 0.6 * rng.random((n, 1), dtype=np.float32))
        vectors = (centres[chosen] + width * scaled_normal(n)) @ rotation
        yield vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def read_array(folder, name):
    """The array of `name`*.npy[.gz] in `folder`; the files in the order of their names."""
    paths = sorted(glob.glob(os.path.join(folder, name + "*.npy"))
                   + glob.glob(os.path.join(folder, name + "*.npy.gz")))
    if not paths:
        sys.exit(f"{folder} has no {name}*.npy or {name}*.npy.gz")
    arrays = []
    for path in paths:
        with (gzip.open(path) if path.endswith(".gz") else open(path, "rb")) as file:
            arrays.append(np.load(file))
        if arrays[-1].ndim != 2 or arrays[-1].dtype not in (np.float32, np.uint8):
            sys.exit(f"{path}: expected rows of float32 or uint8")
    return np.concatenate(arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dims", type=int, default=384, help="of generated vectors")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", help="take real data from this folder")
    parser.add_argument("base")
    parser.add_argument("query_file", metavar="queries")
    options = parser.parse_args()

    if options.data:
        base_rows = read_array(options.data, "base")[:options.rows]
        query_rows = read_array(options.data, "queries")[:options.queries]
        chunks = [base_rows, query_rows]
        n_base, dims = base_rows.shape
    else:
        chunks = generated_chunks(options.rows + options.queries, options.dims, options.seed)
        n_base, dims = options.rows, options.dims

    base = CopyFile(options.base, dims)
    queries = CopyFile(options.query_file, dims)
    for chunk in chunks:
        n_of_base = min(len(chunk), n_base - base.n_rows)
        base.write(chunk[:n_of_base])
        queries.write(chunk[n_of_base:])
    base.close()
    queries.close()
    print(base.n_rows, dims, queries.n_rows)


if __name__ == "__main__":
    main()
