"""The shapes of bench/quality: what they have in the tables of both sides, and how near a row is to a
query, in float64, whatever index or server says. The vectors are those of the soak's zoo."""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../test/soak"))

import zoo  # noqa: E402
from forms import Form  # noqa: E402

OPERATORS = {"l2": "<->", "ip": "<#>", "cosine": "<=>", "l1": "<+>", "hamming": "<~>",
             "jaccard": "<%>"}
METRICS = {"l2": "L2", "ip": "inner product", "cosine": "cosine", "l1": "L1",
           "hamming": "Hamming", "jaccard": "Jaccard"}
DENSE = ("l2", "ip", "cosine", "l1")

# Salts of zoo.rows: the rows, queries, what an upsert replaces, and rounds of churn.
BASE, QUERIES, REPLACED, ROUNDS = 0, 1, 2, 100


class Shape:
    """One shape: `share` of the rows that others have, and for which metrics it has churn, too."""

    def __init__(self, title, dims, kind, metrics, type_name="vector", share=1.0, churn=(), **more):
        self.title = title
        self.dims = dims
        self.kind = kind
        self.metrics = metrics
        self.form = Form(type_name, dims)
        self.share = share
        self.churn = churn
        self.more = more

    def rows(self, seed, ids, salt):
        """Vectors as the type holds them."""
        made = zoo.rows(self.kind, self.dims, seed, ids, salt, **self.more)
        if self.form.name == "halfvec":
            made = made.astype(np.float16).astype(np.float32)
        return (made > 0).astype(np.float32) if self.form.name == "bit" else made

    def queries(self, seed, n_rows, n_queries):
        """Queries that are spread over the rows' numbers, as which a shape may depend on them."""
        ids = np.sort(np.random.default_rng(seed).integers(1, n_rows + 1, n_queries))
        return self.rows(seed, ids, QUERIES)


SHAPES = [
    Shape("far clusters", 16, "far_clusters", DENSE, churn=("l2",)),
    Shape("few outliers", 48, "outliers", DENSE, churn=("l2",)),
    Shape("offset 0", 300, "spectrum", DENSE, share=0.5, offset=0.0),
    Shape("offset 2", 300, "spectrum", DENSE, share=0.5, offset=2.0),
    Shape("offset 6", 300, "spectrum", DENSE, share=0.5, churn=("cosine",), offset=6.0),
    Shape("offset 35", 300, "spectrum", DENSE, share=0.5, offset=35.0),
    Shape("heavy norms", 48, "heavy_norms", DENSE, churn=("ip",)),
    Shape("half duplicates", 64, "half_duplicates", DENSE, churn=("l2",)),
    Shape("sorted by cluster", 64, "by_cluster", DENSE, churn=("l2",)),
    Shape("drift", 64, "drift", DENSE, churn=("l2", "cosine")),
    Shape("uniform", 2, "uniform", DENSE),
    Shape("uniform", 3, "uniform", DENSE, churn=("ip",)),
    Shape("uniform", 8, "uniform", DENSE, churn=("l1",)),
    Shape("low intrinsic", 1536, "low_intrinsic", DENSE, share=0.3),
    Shape("normalised", 100, "normalised", DENSE, churn=("cosine",)),
    Shape("embeddings", 768, "spectrum", ("l2", "ip"), share=0.4, offset=0.3, norms=0.2),
    Shape("descriptors", 128, "descriptors", ("l2",)),
    Shape("normalised", 384, "normalised", DENSE, "halfvec", share=0.5),
    Shape("offset 6", 300, "spectrum", ("l2",), "halfvec", share=0.5, offset=6.0),
    Shape("groups", 256, "bit_groups", ("hamming", "jaccard"), "bit"),
    Shape("signs", 384, "sign_bits", ("hamming", "jaccard"), "bit"),
    Shape("topics", 2000, "topics", DENSE, "sparsevec", share=0.5),
    Shape("ratings", 2000, "ratings", ("ip", "cosine"), "sparsevec", share=0.5),
]


def distances(metric, rows, query):
    """Of each row from one query; of L2 its square."""
    rows, query = rows.astype(np.float64), query.astype(np.float64)
    if metric in ("l1", "hamming"):
        return np.abs(rows - query).sum(1)
    if metric == "l2":
        return ((rows - query) ** 2).sum(1)
    product = rows @ query
    if metric == "ip":
        return -product
    if metric == "cosine":
        return 1 - product / np.sqrt((rows * rows).sum(1) * (query @ query))
    return 1 - product / np.maximum(rows.sum(1) + query.sum() - product, 1)


class Exact:
    """How far the k-th nearest of each query is."""

    def __init__(self, metric, base, queries, k):
        self.metric = metric
        self.base = base
        self.queries = queries
        self.edges = np.array([np.partition(distances(metric, base[rough], query), k - 1)[k - 1]
                               for query, rough in zip(queries, self.rough(4 * k))])
        # What float32 does not tell from the k-th nearest is as near.
        self.edges += 2e-6 * np.abs(self.edges) + (3e-7 if metric == "cosine" else 0)

    def rough(self, n):
        """For each query the numbers of the nearest rows, less exactly and faster."""
        base = self.base.astype(np.float64)
        squares = (base * base).sum(1)
        n = min(n, len(base))
        for start in range(0, len(self.queries), 100):
            part = self.queries[start:start + 100]
            if self.metric == "l1":
                rough = np.array([np.abs(self.base - query).sum(1) for query in part])
            else:
                rough = -(part.astype(np.float64) @ base.T)
                if self.metric in ("l2", "hamming"):
                    rough = squares + 2 * rough
                elif self.metric == "cosine":
                    rough = rough / np.sqrt(squares)
                elif self.metric == "jaccard":
                    rough = rough / np.maximum(base.sum(1) + part.sum(1)[:, None] + rough, 1)
            yield from np.argpartition(rough, n - 1, axis=1)[:, :n]

    def hits(self, found):
        """For each query how many of the rows found, pairs of (number of a query, id of a row), are as
        near as its k-th nearest. Ids count from 1."""
        hits = np.zeros(len(self.queries), int)
        order = np.argsort(found[:, 0], kind="stable")
        queries, starts = np.unique(found[order, 0], return_index=True)
        for number, rows in zip(queries, np.split(found[order, 1], starts[1:])):
            if len(np.unique(rows)) != len(rows):
                sys.exit(f"a row was found twice: {rows}")
            far = distances(self.metric, self.base[rows - 1], self.queries[number])
            hits[number] = (far <= self.edges[number]).sum()
        return hits
