"""What a search owes its user, held against exact search in the same snapshot."""

import contextlib
import math
import re

from client import ServerError

OPERATORS = {"l2": "<->", "ip": "<#>", "cosine": "<=>", "l1": "<+>", "hamming": "<~>",
             "jaccard": "<%>"}

INDEXED = {"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off"}
EXACT = {"enable_indexscan": "off", "enable_bitmapscan": "off", "enable_indexonlyscan": "off",
         "max_parallel_workers_per_gather": "0"}
UNLIMITED = {"hnsw.iterative_scan": "relaxed_order", "hnsw.max_scan_tuples": "2147483647",
             "hnsw.scan_mem_multiplier": "1000", "work_mem": "'64MB'"}

# Distances are sums in float32: what differs by less than this share of the largest is equal.
_NOISE = 1e-5
# Of an order by codes, which is nearly always right to a thousandth. Where an index began empty, so
# that its centroid is a row, eight bits a number leave an error of 0.1 % of a distance, of 0.2 % where
# row and query lie on the other side of the rest: 300 dimensions whose largest number is 0.2 of the
# length have levels 0.0016 apart, an error of 0.00046, and lengths of up to 2 on both sides. An hour
# compares ten million pairs, of which one is off by five standard errors of the difference of two.
_TOLERANCE = 1e-2
_LAST_BITS = 1e-6


class Finding(Exception):
    """Something that must not be. `kind` is short and the same for each instance of a fault."""

    def __init__(self, kind, text=""):
        super().__init__(f"{kind}: {text}" if text else kind)
        self.kind = kind
        self.text = text


# Whether LIMIT has to be filled by default settings, whatever a condition leaves out.
fill_limit = False

# Kinds of findings that are known and not to be told again: None, or a pattern.
known = None


# Rows that are looked for again where some of a smaller sample were missed.
_MANY = 600


def _misses_allowed(m, has_hubs, has_tip):
    """The share of rows whose own vector may miss them at the default ef, and at ef 400. With few
    links it is large, above all where some rows lie far from all others: hnsw_check allows for a
    third below 8. Where a few rows are the nearest of most others (hubs), these cannot have links
    to all of them. At m = 4, 8, 16 a textbook graph of 1,500 rows with heavy tails loses 30, 13 and
    6 % at ef 40 and 9, 3 and 1 % at ef 400; at m = 4 one
    of 900 rows of 300 uniform dimensions 23 and 10 %, one of 1,500 with outliers 24 and 10 %. One
    of 1,064 rows of 64 dimensions that drift, by cosine a cone whose tip is near to all, loses 70,
    53 and 35 % and 37, 20 and 5 %; of 1,500 rows one with m = 16 loses 47 and 23 %. What it loses of
    rows with near ones stands below."""
    level = 0 if m < 8 else 1 if m < 16 else 2
    if has_tip:
        return (0.7, 0.25, 0.15)[level], (0.45, 0.15, 0.12)[level]
    if has_hubs:
        return (0.45, 0.1, 0.04)[level], (0.12, 0.02, 0.005)[level]
    return (0.15, 0.05, 0.02)[level], (0.01, 0.0, 0.0)[level]


def has_near_ones(shape, metric):
    """Sparse rows of few entries are the nearest of most others by the sum of differences. Of 2,101
    rows of `topics` a textbook graph loses 61, 25 and 9 % at ef 40 and 40, 14 and 4 % at ef 400 with
    m = 4, 8 and 16."""
    return shape in ("topics", "long_rows") and metric == "l1"


def is_cone(shape, metric):
    """Whether rows lie around one direction, by their length nearer to it or farther."""
    return shape == "drift" and metric == "cosine"


def _has_hubs(shape, dims):
    """Norms with heavy tails; many dimensions that do not depend on each other, as bits drawn one by
    one. A textbook graph of 1,500 rows of `bit_groups` in 256 dimensions loses 20, 2.4 and 0.3 % at
    ef 40 and 5 % at ef 400 with m = 4, 8, 16; by Jaccard distance of `random_bits` in 64 16 and 3 %
    with m = 4, in 1,000 38, 6 and 0 % and 10, 0.3 and 0 %; of `topics` 14, 0.3 and 0 % and 3, 0 and
    0 %."""
    return shape in ("heavy_norms", "random_bits", "bit_groups", "topics", "long_rows") or (
        shape in ("offset", "uniform") and dims >= 100)


def _most_of(n, share):
    """As many of `n` as a share may give by chance: three standard deviations above the mean."""
    return n * share + 3 * math.sqrt(n * share * (1 - share))


def tell(kind, text=""):
    """Ends the history with a finding, unless its kind is known."""
    if known is None or not re.search(known, kind):
        raise Finding(kind, text)


@contextlib.contextmanager
def settings(session, *groups):
    """Settings for the statements within; nothing is taken back after an error, which ends a
    history or is followed by RESET ALL."""
    names = {}
    for group in groups:
        names.update(group)
    for name, value in names.items():
        session.run(f"SET {name} = {value}")
    yield
    for name in names:
        session.run(f"RESET {name}")


@contextlib.contextmanager
def snapshot(session):
    """One snapshot for all statements within: a transaction of its own, unless there is one."""
    if session.in_transaction():
        yield
        return
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
    try:
        yield
    except BaseException:
        session.attempt("ROLLBACK")
        raise
    session.run("COMMIT")


class Oracle:
    """Judges searches of the column `v` of one table by its id."""

    def __init__(self, figures, metric, dims, m=16, shape=None, table="t", key="id",
                 kind="vector", method="hnsw"):
        self.figures = figures
        self.metric = metric
        self.operator = OPERATORS[metric]
        self.dims = dims
        self.m = m
        self.kind = kind
        self.method = method
        # Strings of a few bits are the nearest of most others, the shorter the more: of 1,500 in 64
        # dimensions a textbook graph loses 76, 68 and 60 % with m = 4, 8 and 16, at any ef.
        self.has_ways_to_all = m >= 4 and metric != "ip" and shape != "few_bits"
        has_tip = has_near_ones(shape, metric) or is_cone(shape, metric)
        self.misses_allowed = _misses_allowed(m, _has_hubs(shape, dims), has_tip)
        self.table = table
        self.key = key
        self.n_looked_for = 0  # by their own vectors, the last time
        # Rows that an index holds: it leaves out vectors without a direction.
        self.indexed = "v IS NOT NULL"
        if metric == "cosine":
            self.indexed += f" AND (v {self.operator} v) <> 'NaN'"

    @classmethod
    def of(cls, figures, setup):
        """For the table of a history."""
        return cls(figures, setup["metric"], setup["dims"], setup["m"], setup["shape"],
                   kind=setup.get("type", "vector"), method=setup.get("method", "hnsw"))

    def distance(self, query, column="v"):
        return f"{column} {self.operator} {query}"

    # --- the two ways to search ---

    def by_index(self, session, query, limit, where=""):
        """Ids and distances as the index gives them."""
        distance = self.distance(query)
        rows = session.rows(f"SELECT {self.key}, {distance} FROM {self.table} {where} "
                            f"ORDER BY {distance} LIMIT {limit}")
        self.figures.add("searches compared")
        return [int(row[0]) for row in rows], [float(row[1]) for row in rows]

    def exactly(self, session, query, limit, where=""):
        where = f"{where} AND {self.indexed}" if where else f"WHERE {self.indexed}"
        rows = session.rows(f"SELECT {self.key}, {self.distance(query)} AS d FROM {self.table} "
                            f"{where} ORDER BY d LIMIT {limit}")
        return [int(row[0]) for row in rows], [float(row[1]) for row in rows]

    def is_by_index(self, session, query):
        plan = session.rows(f"EXPLAIN (COSTS off) SELECT {self.key} FROM {self.table} "
                            f"ORDER BY {self.distance(query)} LIMIT 10")
        return any("Order By: " in line[0] for line in plan)

    # --- rules ---

    def own_vectors(self, session, sample=50, salt=0, limit=10):
        """The vector of a row finds that row, or one as near to it: at the default ef nearly
        always, since a graph that searches walk by a beam misses a single row now and then; more
        than that is a group that is lost. Whether it is more, many rows tell. Always at ef 400.
        Lists of two or three places above layer 0 lead nowhere: there only scans without limits
        are judged."""
        if not self.has_ways_to_all or self.centroid_is_far(session):
            return
        lost = self.lost_by_own_vector(session, sample, salt, limit)
        if not lost:
            return
        are_many = len(lost) > self._most_misses()
        with settings(session, {"hnsw.ef_search": "400"}):
            for_good = self.lost_by_own_vector(session, sample, salt, limit)
            if 0 < len(for_good) <= _MANY * self.misses_allowed[1]:
                sample = max(sample, _MANY)
                for_good = self.lost_by_own_vector(session, sample, salt, limit)
        if len(for_good) > _most_of(self.n_looked_for, self.misses_allowed[1]):
            tell("a row is not found by its own vector at ef 400",
                 f"{len(for_good)} of {sample} sampled: ids {for_good[:10]}")
            return
        if not are_many:
            return
        lost = self.lost_by_own_vector(session, max(sample, _MANY), salt, limit)
        if len(lost) > self._most_misses():
            tell("a row is not found by its own vector",
                 f"{len(lost)} of {self.n_looked_for} at ef 40: ids {lost[:10]}")

    def _judges_searches(self):
        """Not by inner product: rows that are short, or lie behind longer ones, are answers to few
        searches. A textbook graph loses 121 of 1,500 that came in by cluster, at any ef."""
        return self.has_ways_to_all

    def _most_misses(self):
        return max(1.0, _most_of(self.n_looked_for, self.misses_allowed[0]))

    def lost_by_own_vector(self, session, sample=50, salt=0, limit=10):
        own = self.distance("s.v", "t.v")
        with settings(session, INDEXED):
            rows = session.rows(
                f"WITH s AS MATERIALIZED (SELECT {self.key} AS id, v FROM {self.table} "
                f"WHERE {self.indexed} ORDER BY hashint8extended({self.key}, {salt}) "
                f"LIMIT {sample}) "
                f"SELECT s.id, {self.distance('s.v', 's.v')}, x.nearest, x.farthest, x.n, x.n_ids "
                f"FROM s, LATERAL (SELECT min(d) AS nearest, max(d) AS farthest, count(*) AS n, "
                f"count(DISTINCT id) AS n_ids FROM (SELECT t.{self.key} AS id, {own} AS d "
                f"FROM {self.table} t ORDER BY {own} LIMIT {limit}) y) x")
        self.n_looked_for = len(rows)
        self.figures.add("searches compared", len(rows))
        lost = []
        for key, own_distance, nearest, farthest, n, n_ids in rows:
            if n != n_ids:
                tell("a row comes twice", f"by the vector of id {key}")
            noise = _NOISE * (1.0 if self.metric == "cosine" else float(farthest or 0)) + 1e-30
            if nearest is None or float(nearest) > float(own_distance) + noise:
                lost.append(int(key))
        return lost

    def every_row(self, session, query, where=""):
        """A scan without limits returns every visible row, each once."""
        with settings(session, INDEXED, UNLIMITED):
            found, _ = self.by_index(session, query, 100000000, where)
        with settings(session, EXACT):
            there, _ = self.exactly(session, query, 100000000, where)
        self._same_rows(found, there, query)

    def _same_rows(self, found, there, query, may_lack=False):
        if len(found) != len(set(found)):
            twice = sorted(key for key in set(found) if found.count(key) > 1)[:10]
            tell("a row comes twice", f"ids {twice}, query {query[:60]}")
        extra = set(found) - set(there)
        if extra:
            tell("a row comes that is not there",
                          f"{len(extra)}: ids {sorted(extra)[:10]}")
        missing = set(there) - set(found)
        if missing and not may_lack:
            tell("a scan without limits lacks rows",
                          f"{len(missing)} of {len(there)}: ids {sorted(missing)[:10]}")

    def filled(self, session, query):
        """As many rows come as LIMIT asks for, while as many match."""
        for where, limit, offset in (("true", 60, 0), ("true", 20, 45),
                                     (f"{self.key} % 50 = 1", 10, 0)):
            with settings(session, EXACT):
                n = int(session.value(f"SELECT count(*) FROM {self.table} "
                                      f"WHERE {self.indexed} AND {where}"))
            with settings(session, INDEXED):
                found = session.rows(f"SELECT {self.key} FROM {self.table} WHERE {where} ORDER BY "
                                     f"{self.distance(query)} LIMIT {limit} OFFSET {offset}")
            if len(found) < min(limit, n - offset):
                tell("LIMIT is not filled", f"{len(found)} of {limit} behind {offset}, "
                     f"{n} rows match {where}")

    def order(self, session, query):
        """Rows come in the order that is promised: exactly up to 32 dimensions, but for the last
        bits by inner product and cosine, and where exact order is asked for; else nearly. A scan
        that goes on by default may bring nearer rows late; by ivfflat each does."""
        with settings(session, INDEXED):
            if self.method == "hnsw":
                with settings(session, {"hnsw.iterative_scan": "off"}):
                    ids, distances = self.by_index(session, query, 40)
                self._ascending(distances, self._tolerance(), "of one beam", query)
            with settings(session, {"vector_ext.exact_order": "on"}):
                ids, distances = self.by_index(session, query, 40)
            self._ascending(distances, 0.0, "with exact_order", query)
            if self.method != "hnsw":
                return
            with settings(session, UNLIMITED, {"hnsw.iterative_scan": "strict_order"}):
                ids, distances = self.by_index(session, query, 1000)
            self._ascending(distances, 0.0, "with strict_order", query)
            if len(ids) != len(set(ids)):
                tell("a row comes twice", f"with strict_order, query {query[:60]}")

    def _tolerance(self):
        """Nothing where the codes have the value whole, or the executor orders by it again: L1,
        sparse vectors, bits but for the last bits of a float32 by Jaccard distance."""
        if self.metric in ("l1", "hamming") or self.kind == "sparsevec":
            return 0.0
        if self.kind == "bit":
            return _LAST_BITS
        if self.dims > 32:
            return _TOLERANCE
        return 0.0 if self.metric == "l2" else _LAST_BITS

    def _ascending(self, distances, tolerance, how, query):
        if not distances:
            return
        # Inner products and tiny cosine distances have no scale of their own.
        scale = max(abs(d) for d in distances)
        for before, after in zip(distances, distances[1:]):
            slack = tolerance * max(abs(before), scale if self.metric != "l2" else 0.0)
            if after < before - slack:
                tell(f"rows come out of order {how}",
                              f"{after!r} behind {before!r}, query {query[:60]}")

    def recall(self, session, queries, k=10):
        """The share of the true neighbours that searches find at the default ef."""
        hits = total = 0
        for query in queries:
            with settings(session, INDEXED):
                _, found = self.by_index(session, query, k)
            with settings(session, EXACT):
                _, true = self.exactly(session, query, k)
            if not true:
                continue
            edge = true[-1] + _NOISE * max(abs(d) for d in true)
            hits += min(len(true), sum(d <= edge for d in found))
            total += len(true)
        if total == 0:
            return 1.0
        self.figures.lowest("recall, least", hits / total)
        return hits / total

    def sorted_plans(self, session, query, other):
        """Whatever the planner builds on the index's order is right: a second key, DISTINCT,
        GROUP BY, windows, ties, merge joins."""
        d, t = self.distance(query), self.table
        with settings(session, {"enable_seqscan": "off", "enable_hashagg": "off"}):
            # The same distance again is no second key: the planner drops it.
            keys = (self.key,) if other == query else (self.key, self.distance(other))
            for second in keys:
                rows = session.rows(f"SELECT {d}, {second} FROM {t} WHERE {self.indexed} "
                                    f"ORDER BY {d}, {second} LIMIT 30")
                self._ascending_pairs(rows, second)
            rows = session.rows(f"SELECT DISTINCT {d} AS d FROM {t} WHERE {self.indexed} "
                                "ORDER BY d LIMIT 20")
            self._each_once(rows, "DISTINCT")
            rows = session.rows(f"SELECT {d} AS d, count(*) FROM {t} WHERE {self.indexed} "
                                "GROUP BY 1 ORDER BY 1 LIMIT 20")
            self._each_once(rows, "GROUP BY")
            rows = session.rows(f"SELECT d, rank() OVER (ORDER BY d) FROM (SELECT {d} AS d "
                                f"FROM {t} WHERE {self.indexed}) x ORDER BY 1 LIMIT 30")
            self._ranks(rows)
            rows = session.rows(f"SELECT {d} AS d FROM {t} WHERE {self.indexed} ORDER BY {d} "
                                "FETCH FIRST 5 ROWS WITH TIES")
            self._ties(rows)
        self._merge_join(session, d)
        self.figures.add("sorted plans", 7)

    def _merge_join(self, session, distance):
        """A merge join over the index's order; its error must not end the snapshot."""
        with settings(session, {"enable_seqscan": "off", "enable_hashjoin": "off",
                                "enable_nestloop": "off", "enable_sort": "off"}):
            is_inside = session.in_transaction()
            if is_inside:
                session.run("SAVEPOINT merge_join")
            try:
                session.run(
                    "SELECT count(*) FROM (SELECT x.d FROM (SELECT DISTINCT n::float8 AS d FROM "
                    f"generate_series(1, 2000) n) x JOIN {self.table} ON x.d = {distance} "
                    f"ORDER BY {distance} LIMIT 40) y")
            except ServerError as error:
                if error.sqlstate != "XX000":
                    raise
                if is_inside:
                    session.run("ROLLBACK TO merge_join")
                tell("a merge join ends in XX000", error.message)
            if is_inside:
                session.run("RELEASE merge_join")

    def _ascending_pairs(self, rows, second):
        pairs = [(float(a), float(b)) for a, b in rows]
        for before, after in zip(pairs, pairs[1:]):
            if after < before:
                tell("a second key of ORDER BY is not respected",
                              f"by {second[:80]}: {after} behind {before}")

    def _each_once(self, rows, how):
        values = [float(row[0]) for row in rows]
        if len(values) != len(set(values)):
            tell(f"{how} repeats a value", f"{values}")
        if values != sorted(values):
            tell(f"{how} gives values out of order", f"{values}")

    def _ranks(self, rows):
        values = [(float(d), int(rank)) for d, rank in rows]
        for before, after in zip(values, values[1:]):
            if (after[0] > before[0]) != (after[1] > before[1]) or after[0] < before[0]:
                tell("rank() contradicts the distances", f"{after} behind {before}")

    def _ties(self, rows):
        values = [float(row[0]) for row in rows]
        if len(values) > 5 and any(d != values[4] for d in values[5:]):
            tell("WITH TIES returns rows that are no ties", f"{values}")

    # --- the index itself ---

    def indexes(self, session):
        """The indexes that hold rows of the table: its own, or those of its partitions."""
        return [row[0] for row in session.rows(
            "SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_am a ON a.oid = c.relam WHERE a.amname IN ('hnsw', 'ivfflat') AND c.relkind = 'i' "
            "AND i.indisvalid AND i.indrelid IN (SELECT relid FROM "
            f"pg_partition_tree('{self.table}') UNION SELECT '{self.table}'::regclass)")]

    def centroid_is_far(self, session):
        """Whether codes say little of the vectors, as hnsw_check tells of an index whose first row
        lay apart from all that came later: a row at 10,000 leaves codes of 8 bits without the
        differences in a group whose rows lie 12 apart."""
        return any(session.value(f"SELECT count(*) FROM hnsw_check('{index}') "
                                 "WHERE problem LIKE 'the centroid %'") != "0"
                   for index in self.indexes(session))

    def check(self, session):
        # A first row that lies apart from all others makes a far centroid: a fact, rightly told.
        judges_quality = self._judges_searches() and not self.centroid_is_far(session)
        for index in self.indexes(session):
            rows = session.rows("SELECT severity, problem, count(*) FROM "
                                f"hnsw_check('{index}', true) WHERE severity = 'damage' OR "
                                f"{judges_quality} AND problem NOT LIKE 'the centroid %' "
                                "GROUP BY 1, 2 ORDER BY 1, 2")
            self.figures.add("deep checks")
            if rows:
                tell(f"hnsw_check: {rows[0][1]}", f"{index}: {rows}")

    def counts(self, session):
        """After a vacuum the index has a node for each different vector, and none without rows."""
        for index in self.indexes(session):
            table = session.value("SELECT indrelid::regclass FROM pg_index "
                                  f"WHERE indexrelid = '{index}'::regclass")
            live, unlinked = (int(x) for x in session.rows(
                f"SELECT nodes - dead, unlinked FROM hnsw_info('{index}')")[0])
            with settings(session, EXACT):
                rows, different = (int(x) for x in session.rows(
                    f"SELECT count(*), count(DISTINCT v) FROM {table} WHERE {self.indexed}")[0])
            if live > rows or (self.metric != "cosine" and live < different):
                tell("the index counts other nodes than the table has vectors",
                              f"{index}: {live} live nodes, {rows} rows, {different} different")
            if unlinked:
                tell("nodes stay unlinked", f"{index}: {unlinked}")

    # --- rules together ---

    def glance(self, session, queries, salt=0):
        """The quick judgement, after each step of a history."""
        with snapshot(session):
            self.own_vectors(session, 30, salt)
            with settings(session, INDEXED):
                found, _ = self.by_index(session, queries[0], 40)
            with settings(session, EXACT):
                there, _ = self.exactly(session, queries[0], 100000000)
            self._same_rows(found, there, queries[0], may_lack=True)

    def judge(self, session, queries, salt=0):
        """The whole judgement of an index at rest."""
        with snapshot(session):
            with settings(session, INDEXED):
                if not self.is_by_index(session, queries[0]):
                    self.figures.add("judgements without the index")
            self.every_row(session, queries[0])
            self.own_vectors(session, 120, salt)
            for query in queries[:4]:
                self.order(session, query)
            self.sorted_plans(session, queries[0], queries[1])
            if fill_limit:
                self.filled(session, queries[0])
        self.check(session)
        self.figures.add("judgements")


def is_index_wrong_order(error):
    """The executor's complaint about a damaged index whose pages decode and lie."""
    return error.sqlstate == "XX000" and bool(
        re.search("index returned tuples in wrong order", error.message))
