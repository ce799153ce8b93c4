"""Draws histories: tables of the zoo, and steps that histories.py runs."""

import random

import forms
import zoo

_BATCHES = ("0", "64kB", "1MB", "64MB")


def _shapes_of(kind, rng):
    if kind == "bit":
        return zoo.BIT_SHAPES
    if kind == "sparsevec" and rng.random() < 0.6:
        return zoo.SPARSE_SHAPES
    return zoo.SHAPES


def _storage(rng, shape):
    """Within the page or beside it: a row that may be longer than a page has to lie beside."""
    storage = rng.choice(("external", "plain"))
    return "external" if shape == "long_rows" else storage


def random_setup(rng, kinds=("plain",)):
    """A table and its index."""
    kind = rng.choices(sorted(forms.METRICS), (2, 2, 3, 5))[0]
    shapes = _shapes_of(kind, rng)
    shape = rng.choice(sorted(shapes))
    dims = rng.choice(shapes[shape])
    m = rng.choice((2, 4, 4, 8, 16, 16, 16, 24, 48))
    metric = rng.choice(forms.METRICS[kind])
    method = "hnsw"
    if metric in forms.IVFFLAT[kind] and rng.random() < 0.15:
        method, m = "ivfflat", 16
    return {
        "type": kind, "spread": rng.choice((1, 1, 7, 500000)), "method": method,
        "shape": shape, "dims": dims, "world": rng.randrange(1 << 30), "metric": metric, "m": m,
        "ef_construction": max(2 * m, rng.choice((16, 40, 64, 64, 128))),
        "kind": rng.choice(kinds), "storage": _storage(rng, shape),
        "insert_batch": rng.choice(_BATCHES),
        "maintenance_work_mem": rng.choice(("1MB", "4MB", "64MB")),
        "workers": rng.choice((0, 0, 1, 2)),
        "fillfactor": rng.choice((100, 70)),
    }


class Writer:
    """Draws the steps of a history. It knows which ids may exist; not which do."""

    def __init__(self, rng, setup, n_rows):
        self.rng = rng
        self.setup = setup
        self.n_rows = n_rows
        self.next_id = 1
        self.salt = 0

    def history(self, n_steps):
        first = self._insert(self.n_rows)
        steps = [first, {"op": "index"}] if self.rng.random() < 0.6 else [{"op": "index"}, first]
        for _ in range(n_steps):
            steps.append(self.step())
        return {"setup": self.setup, "steps": steps}

    def step(self):
        return self.rng.choices(
            (self._insert, self._update_vector, self._update_other, self._delete, self._delete_near,
             self._mass_delete, self._conflict, self._upsert, self._transaction, self._exceptions,
             self._cursor, self._vacuum, self._beside, self._cut, self._cut_in_savepoint,
             self._skew, self._rebuild, self._truncate),
            (8, 6, 4, 5, 4, 2, 3, 3, 8, 3, 3, 9, 8, 4, 4, 2, 3, 1))[0]()

    def _count(self):
        return self.rng.choice((1, 3, 20, 63, 64, 100, 300, self.n_rows // 3))

    def _insert(self, n=None):
        n = n or self._count()
        first, self.next_id = self.next_id, self.next_id + n
        how = self.rng.choice(("copy", "copy binary", "select", "values", "one by one"))
        if how == "one by one" and n > 100:
            how = "copy"
        return {"op": "insert", "first": first, "n": n, "how": how}

    def _some(self):
        """A condition that holds for some rows."""
        if self.rng.random() < 0.5:
            base = self.rng.choice((2, 3, 5, 10, 50))
            return f"id % {base} = {self.rng.randrange(base)}"
        first = self.rng.randrange(self.next_id)
        return f"id BETWEEN {first} AND {first + self.rng.choice((1, 20, 150, 600))}"

    def _update_vector(self):
        self.salt += 1
        return {"op": "update vector", "where": self._some(), "salt": self.salt,
                "most": self.rng.choice((5, 60, 300, 1000))}

    def _update_other(self):
        return {"op": "run", "sql": f"UPDATE t SET {self.rng.choice(('c = c + 1', 'k = k + 1'))} "
                f"WHERE {self._some()}"}

    def _delete(self):
        return {"op": "run", "sql": f"DELETE FROM t WHERE {self._some()}"}

    def _delete_near(self):
        return {"op": "delete near", "query": self.rng.randrange(1000),
                "n": self.rng.choice((10, 100, 500))}

    def _mass_delete(self):
        return {"op": "run", "sql": self.rng.choice((
            "DELETE FROM t", "DELETE FROM t WHERE id % 40 <> 7",
            f"DELETE FROM t WHERE id < {self.next_id}",
            f"DELETE FROM t WHERE id < {self.next_id * 9 // 10}"))}

    def _conflict(self):
        first = self.rng.randrange(1, self.next_id + 1)
        n = self.rng.choice((5, 50, 200))
        self.next_id = max(self.next_id, first + n)
        self.salt += 1
        return {"op": "conflict", "first": first, "n": n, "salt": self.salt,
                "then": self.rng.choice(("NOTHING", "UPDATE SET v = excluded.v",
                                         "UPDATE SET c = excluded.c"))}

    def _upsert(self):
        first = self.rng.randrange(1, self.next_id + 1)
        n = self.rng.choice((5, 100, 400))
        self.next_id = max(self.next_id, first + n)
        self.salt += 1
        return {"op": "upsert", "first": first, "n": n, "salt": self.salt,
                "on_conflict": self.rng.choice(("update", "skip"))}

    def _transaction(self):
        steps = []
        for _ in range(self.rng.randrange(1, 12)):
            steps.append(self.rng.choices(
                (self._insert, self._update_vector, self._update_other, self._delete,
                 self._conflict, self._savepoint, self._back, self._exceptions, self._look,
                 self._other_vacuum), (7, 3, 2, 2, 2, 6, 4, 1, 2, 2))[0]())
        return {"op": "transaction", "steps": steps,
                "end": self.rng.choices(("COMMIT", "ROLLBACK", "prepare, commit",
                                         "prepare, roll back"), (6, 2, 2, 1))[0]}

    def _savepoint(self):
        return {"op": "savepoint"}

    def _back(self):
        return {"op": "back", "how": self.rng.choice(("ROLLBACK TO s", "RELEASE s"))}

    def _look(self):
        return {"op": "look", "salt": self.rng.randrange(1000)}

    def _other_vacuum(self):
        return {"op": "other vacuum"}

    def _exceptions(self):
        rows = self.rng.choice((1, 1, 10, 70))
        first, self.next_id = self.next_id, self.next_id + 40 * rows
        return {"op": "exceptions", "first": first, "n": 40, "rows": rows,
                "bad": self.rng.choice((2, 5))}

    def _cut_in_savepoint(self):
        """A flush that is cancelled in a savepoint, whose transaction goes on."""
        return {"op": "cut in savepoint", "outer": self._insert(self.rng.choice((5, 64, 300))),
                "inner": self._insert(self.rng.choice((5, 64, 300))),
                "later": self._insert(self.rng.choice((5, 64))),
                "slices": self.rng.choice((0, 1, 3, 10, 30)),
                # Of keys that the transaction does not have.
                "writes": [self._insert(self.rng.choice((5, 64)))][:self.rng.randrange(2)],
                "vacuum": self.rng.choice(("", "beside", "after", "after")),
                "end": self.rng.choice(("COMMIT", "COMMIT", "ROLLBACK"))}

    def _cursor(self):
        return {"op": "cursor", "insert": self._insert(self.rng.choice((5, 80))),
                "query": self.rng.randrange(1000), "relaxed": self.rng.random() < 0.5}

    def _vacuum(self):
        return {"op": "run", "sql": self.rng.choices(
            ("VACUUM t", "VACUUM (INDEX_CLEANUP on) t", "VACUUM FULL t", "VACUUM ANALYZE t"),
            (5, 3, 1, 1))[0]}

    def _writes(self):
        return [self.rng.choices((self._insert, self._update_vector, self._delete, self._conflict),
                                 (5, 2, 1, 1))[0]() for _ in range(self.rng.randrange(1, 5))]

    def _beside(self):
        slow = self.rng.choices(
            ("VACUUM t", "VACUUM (INDEX_CLEANUP on) t", "REINDEX INDEX CONCURRENTLY t_v",
             "create concurrently", "insert"), (6, 4, 1, 1, 3))[0]
        step = {"op": "beside", "slow": slow, "steps": self._writes(),
                "wait": self.rng.choice(("", "dead", "dead", "vacuuming indexes")),
                "slices": self.rng.choice((0, 1, 5, 30)), "cancel": self.rng.random() < 0.25}
        if not slow.startswith("VACUUM"):
            step["wait"] = ""
        if slow == "insert":
            step["insert"] = self._insert(self.rng.choice((64, 300)))
        return step

    def _cut(self):
        step = {"op": "cut", "slices": self.rng.choice((1, 3, 10, 30)),
                "slow": self.rng.choice(("VACUUM t", "VACUUM (INDEX_CLEANUP on) t",
                                         "REINDEX INDEX t_v", "insert"))}
        if step["slow"] == "insert":
            step["insert"] = self._insert(self.rng.choice((64, 300)))
        return step

    def _skew(self):
        first, self.next_id = self.next_id, self.next_id + 400
        return {"op": "skew", "first": first, "batch": self.rng.choice(_BATCHES),
                "more": self.rng.choice((0, 0, 150)), "prepare": self.rng.random() < 0.3,
                "place": self.rng.randrange(1000)}

    def _rebuild(self):
        return {"op": "rebuild", "how": self.rng.choice(
            ("REINDEX INDEX t_v", "REINDEX INDEX CONCURRENTLY t_v", "create",
             "create concurrently"))}

    def _truncate(self):
        return {"op": "run", "sql": "TRUNCATE t"}


def write_history(seed, n_rows=1500, n_steps=25, kinds=("plain", "plain", "unlogged", "temp",
                                                          "partitioned")):
    """The history of a seed."""
    rng = random.Random(seed)
    setup = random_setup(rng, kinds)
    n = rng.choice((200, n_rows, n_rows, 2 * n_rows))
    if setup["dims"] >= 64:
        n //= 2
    return Writer(rng, setup, n).history(n_steps)
