"""Damaged files: an index's file is changed while the server is down.

Whatever it holds then, a statement gives an answer or XX002; where a page decodes and lies, the
executor may find the order wrong, or a vector be too far from a centroid. Nothing crashes, hangs, extends the table or takes memory without
bound.
"""

import os
import random
import shutil
import struct

import zoo
from client import Hang, ServerError
from forms import Form
from oracle import OPERATORS, Finding, is_index_wrong_order, tell

_PAGE = 8192
_HEADER = 24
_TRAILER = 8184
_META, _CENTROID, _HOT, _COLD = 1, 2, 3, 4
_ROWS = 1200

# Of the tables: type, shape, dimensions, metric, and what lies between two numbers of a sparse vector.
_TABLES = (
    ("vector", "half_duplicates", 4, "l2", 1), ("vector", "half_duplicates", 40, "l1", 1),
    ("vector", "half_duplicates", 64, "cosine", 1), ("vector", "half_duplicates", 300, "l2", 1),
    ("vector", "half_duplicates", 300, "ip", 1), ("halfvec", "half_duplicates", 8, "cosine", 1),
    ("halfvec", "half_duplicates", 300, "l2", 1), ("bit", "equal_bits", 16, "jaccard", 1),
    ("bit", "bit_groups", 1000, "hamming", 1), ("bit", "few_bits", 300, "jaccard", 1),
    ("sparsevec", "topics", 500, "l2", 1), ("sparsevec", "long_rows", 2000, "ip", 1),
    ("sparsevec", "topics", 500, "cosine", 500000), ("sparsevec", "long_rows", 500, "l1", 500000),
)

# A statement may take this much memory beyond what the session had, in kB.
_MEMORY_KB = 200 * 1024

_QUERY_SETTINGS = ("SET enable_seqscan = off", "SET enable_sort = off", "SET work_mem = '16MB'",
                   "SET maintenance_work_mem = '64MB'", "SET statement_timeout = '60s'")


class File:
    """The pages of an index, and where its records lie."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.bytes = bytearray(file.read())
        self.n_pages = len(self.bytes) // _PAGE
        meta = self.bytes[_HEADER:_HEADER + 48]
        self.m = struct.unpack_from("<H", meta, 12)[0]
        has_error = meta[14]
        code_bytes, residual = struct.unpack_from("<HH", meta, 16)
        self.links_at = 32 + 4 * has_error
        self.code_at = self.links_at + 8 * self.m
        self.hot_bytes = (self.code_at + code_bytes + 3) & ~3
        self.cold_bytes = (residual + 3) & ~3
        self.hot_pages = self._pages_of(_HOT)
        self.cold_pages = self._pages_of(_COLD)

    def _pages_of(self, kind):
        return [page for page in range(self.n_pages) if struct.unpack_from(
            "<H", self.bytes, page * _PAGE + _TRAILER + 2)[0] == kind]

    def hot_blocks(self):
        """Hot pages of an extent: those before the first cold one."""
        return self.cold_pages[0] - self.hot_pages[0] if self.cold_pages else 4

    def nodes(self):
        """Places of node records."""
        per_page = (_TRAILER - _HEADER) // self.hot_bytes
        for page in self.hot_pages:
            for i in range(per_page):
                place = page * _PAGE + _HEADER + i * self.hot_bytes
                if self.bytes[place] == 1:
                    yield place

    def put(self, place, data):
        self.bytes[place:place + len(data)] = data

    def write(self):
        with open(self.path, "r+b") as file:
            file.write(self.bytes)
            file.truncate(len(self.bytes))


# --- kinds of damage: each changes a File ---

def _tids(tid):
    def change(file, _rng, _old):
        for place in file.nodes():
            file.put(place + 6, tid)
    return change


def _some_tids(file, rng, _old):
    for place in file.nodes():
        if rng.random() < 0.3:
            file.put(place + 6, struct.pack("<HHH", 0, rng.randrange(200), rng.randrange(1, 2000)))


def _mark(file, _rng, _old):
    per_extent = file.hot_blocks() * ((_TRAILER - _HEADER) // file.hot_bytes)
    file.put(_HEADER + 40, struct.pack("<I", ((1 << 30) - 1) // per_extent * per_extent))


def _mark_a_bit_far(file, _rng, _old):
    n_slots = struct.unpack_from("<I", file.bytes, _HEADER + 40)[0]
    file.put(_HEADER + 40, struct.pack("<I", n_slots * 64))


def _old_page(file, rng, old):
    page = rng.choice(file.hot_pages + file.cold_pages)
    if (page + 1) * _PAGE <= len(old):
        file.put(page * _PAGE, old[page * _PAGE:(page + 1) * _PAGE])


def _old_pages(file, rng, old):
    for page in file.hot_pages + file.cold_pages:
        if rng.random() < 0.3 and (page + 1) * _PAGE <= len(old):
            file.put(page * _PAGE, old[page * _PAGE:(page + 1) * _PAGE])


def _garbage_behind(file, rng, _old):
    file.bytes += bytes(rng.randrange(256) for _ in range(4 * _PAGE))


def _flipped_codes(file, rng, _old):
    for place in file.nodes():
        if rng.random() < 0.2:
            at = place + file.code_at + rng.randrange(max(1, file.hot_bytes - file.code_at))
            file.bytes[at] ^= 1 << rng.randrange(8)


def _random_bytes(file, rng, _old):
    for _ in range(rng.choice((1, 10, 200))):
        file.bytes[rng.randrange(len(file.bytes))] = rng.randrange(256)


def _random_records(file, rng, _old):
    """Plausible values in the fields of records."""
    for place in file.nodes():
        if rng.random() > 0.1:
            continue
        at, form, value = rng.choice((
            (0, "<B", rng.randrange(5)), (1, "<B", rng.randrange(20)), (2, "<B", rng.randrange(8)),
            (3, "<B", rng.randrange(2 * file.m + 2)), (4, "<H", rng.randrange(65536)),
            (12, "<I", rng.randrange(3000)), (16, "<I", rng.randrange(3000)),
            (20, "<I", rng.randrange(1 << 32)), (24, "<I", rng.randrange(1 << 32)),
            (28, "<I", rng.randrange(1 << 32)),
            (file.links_at + 4 * rng.randrange(2 * file.m), "<I",
             rng.randrange(3000) | rng.randrange(4) << 30)))
        file.put(place + at, struct.pack(form, value))


def _meta(file, rng, _old):
    at, form, value = rng.choice((
        (10, "<H", rng.randrange(9000)), (12, "<H", rng.randrange(200)),
        (16, "<H", rng.randrange(9000)), (18, "<H", rng.randrange(9000)),
        (20, "<I", rng.randrange(3)),
        (32, "<I", rng.randrange(4000)), (36, "<i", rng.randrange(-2, 20)),
        (40, "<I", rng.randrange(1 << 31)), (44, "<I", rng.randrange(1 << 32))))
    file.put(_HEADER + at, struct.pack(form, value))


def _swapped(file, rng, _old):
    a, b = rng.choice(file.hot_pages) * _PAGE, rng.choice(file.hot_pages + file.cold_pages) * _PAGE
    one, two = file.bytes[a:a + _PAGE], file.bytes[b:b + _PAGE]
    file.put(a, two)
    file.put(b, one)


def _zeroed(file, rng, _old):
    file.put(rng.randrange(file.n_pages) * _PAGE, bytes(_PAGE))


def _cut(file, rng, _old):
    del file.bytes[rng.randrange(1, file.n_pages) * _PAGE:]


KINDS = {
    "rows at the end of the world": _tids(b"\xff\xff\xff\xff\x01\x00"),
    "rows beyond the table": _tids(struct.pack("<HHH", 0, 60000, 1)),
    "rows beyond the line pointers": _tids(struct.pack("<HHH", 0, 0, 2000)),
    "rows elsewhere": _some_tids,
    "a mark far beyond the file": _mark,
    "a mark beyond the file": _mark_a_bit_far,
    "an old page": _old_page,
    "old pages": _old_pages,
    "garbage behind the mark": _garbage_behind,
    "flipped codes": _flipped_codes,
    "random bytes": _random_bytes,
    "random records": _random_records,
    "a field of the metapage": _meta,
    "swapped pages": _swapped,
    "a page of zeros": _zeroed,
    "a file cut short": _cut,
}


# What hnsw_check, which looks at every page and compares with the table, must tell of.
_MUST_BE_SEEN = {"rows at the end of the world", "rows beyond the table",
                 "rows beyond the line pointers", "a mark far beyond the file",
                 "garbage behind the mark"}


class Damage:
    """An index whose file is damaged, asked, and mended again."""

    def __init__(self, cluster, database, seed, figures):
        self.cluster = cluster
        self.database = database
        self.figures = figures
        self.random = random.Random(seed)
        kind, self.shape, dims, self.metric, spread = self.random.choice(_TABLES)
        self.form = Form(kind, dims, spread)
        self.operator = OPERATORS[self.metric]

    def make(self):
        self.cluster.new_database(self.database)
        session = self.cluster.session(self.database)
        session.run(f"CREATE TABLE t (id bigint PRIMARY KEY, c int, k int, v {self.form.sql})")
        session.run("CREATE INDEX t_v ON t USING hnsw "
                    f"(v {self.form.opclass(self.metric)})")
        ids = list(range(1, _ROWS + 1))
        self.vectors = zoo.rows(self.shape, self.form.dims, 3, ids)
        zeros = [0] * _ROWS
        session.copy("COPY t FROM STDIN", zoo.copy_text(ids, self.vectors, (zeros, zeros), self.form))
        session.run("CHECKPOINT")
        self.path = os.path.join(self.cluster.data,
                                 session.value("SELECT pg_relation_filepath('t_v')"))
        with open(self.path, "rb") as file:
            self.old = file.read()
        session.run("UPDATE t SET v = (SELECT x.v FROM t x WHERE x.id = t.id % 100 + 1) "
                    "WHERE id % 4 = 0")
        session.run("DELETE FROM t WHERE id % 7 = 0")
        session.run("VACUUM t")
        session.run("INSERT INTO t SELECT id + 10000, c, k, v FROM t WHERE id % 5 = 0")
        self.folder = os.path.join(self.cluster.data, "base", session.value(
            f"SELECT oid FROM pg_database WHERE datname = '{self.database}'"))
        self.saved = os.path.join(self.cluster.folder, "saved")
        session.run("CHECKPOINT")
        session.close()
        self.cluster.stop()
        self.cluster.disable_checksums()
        shutil.rmtree(self.saved, ignore_errors=True)
        shutil.copytree(self.folder, self.saved)
        self.file = File(self.path)
        self.good = bytes(self.file.bytes)
        self.cluster.start()

    def restore(self):
        """The database as it was made, with the server down; all its files, since the cases write
        to the table as well."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.saved, self.folder)
        self.file.bytes = bytearray(self.good)

    def case(self, kind):
        """One damage; the findings are raised with its name."""
        self.cluster.stop()
        self.restore()
        KINDS[kind](self.file, self.random, self.old)
        self.file.write()
        self.cluster.start()
        self._ask(kind)
        self.figures.add("damaged files")

    def end(self):
        self.cluster.stop()
        self.restore()
        self.cluster.start()
        self.cluster.drop_database(self.database)
        shutil.rmtree(self.saved)

    def statements(self):
        query = self.form.literal(self.vectors[self.random.randrange(_ROWS)])
        by = f"FROM t ORDER BY v {self.operator} {query} LIMIT"
        yield f"SELECT id {by} 10"
        yield f"SELECT id {by} 40"
        yield ("SET hnsw.iterative_scan = relaxed_order; SET hnsw.max_scan_tuples = 2147483647; "
               f"SELECT id {by} 100000")
        yield ("SET vector_ext.exact_order = on; RESET hnsw.iterative_scan; "
               f"SELECT id {by} 40")
        yield "SELECT * FROM hnsw_info('t_v')"
        yield "SELECT count(*) FROM hnsw_check('t_v', true)"
        yield f"INSERT INTO t VALUES (20001, 0, 0, {query})"
        yield "INSERT INTO t SELECT id + 30000, c, k, v FROM t WHERE id % 11 = 0"
        yield "DELETE FROM t WHERE id % 13 = 0"
        yield "VACUUM (INDEX_CLEANUP on) t"
        yield f"SELECT id {by} 40"

    def _ask(self, kind):
        session = self.cluster.session(self.database, settings=_QUERY_SETTINGS)
        session.run("LOAD 'vector_ext'")
        blocks = int(session.value("SELECT pg_relation_size('t') / 8192"))
        told = []
        for sql in self.statements():
            reads = sql.startswith(("SELECT", "SET"))
            before = _memory_kb(session.pid)
            try:
                rows = session.rows(sql)
                told.append("an answer")
                if "hnsw_check" in sql and kind in _MUST_BE_SEEN and rows[0][0] == "0":
                    tell(f"damage, {kind}: hnsw_check sees nothing")
            except ServerError as error:
                told.append(error.sqlstate)
                self._judge_error(kind, sql, error)
            except Hang as hang:
                tell(f"damage, {kind}: a statement cannot be cancelled", str(hang))
            grown = _memory_kb(session.pid) - before
            if grown > _MEMORY_KB:
                tell(f"damage, {kind}: a statement takes memory without bound",
                     f"{grown} kB: {sql[:120]}")
            if reads and int(session.value("SELECT pg_relation_size('t') / 8192")) > blocks:
                tell(f"damage, {kind}: a search extends the table", sql[:120])
            if not reads:
                blocks = max(blocks, int(session.value("SELECT pg_relation_size('t') / 8192")))
        session.close()
        for answer in told:
            self.figures.add("statements on damage: " + answer)

    def _judge_error(self, kind, sql, error):
        is_told = (error.sqlstate in ("XX002", "0A000") or is_index_wrong_order(error)
                   # The server itself looks at the headers of the pages that it reads.
                   or error.sqlstate == "XX001" and "invalid page in block" in error.message
                   # Of a centroid whose numbers are finite, and huge: no vector is near to it.
                   or error.sqlstate == "22003" and kind == "random bytes"
                   and error.message.startswith("vector is too long for index"))
        if is_told:
            return
        if error.sqlstate == "08006":
            tell(f"damage, {kind}: the server crashed", sql[:120])
        tell(f"damage, {kind}: {error.sqlstate} {error.message.splitlines()[0][:80]}", sql[:200])


def _memory_kb(pid):
    """The most memory that a process ever had, with what it used of the shared buffers."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def run_damage(cluster, seed, figures, kinds=None):
    """Each kind of damage once; yields the name of a kind with its finding, or None."""
    damage = Damage(cluster, "damage", seed, figures)
    damage.make()
    for kind in kinds or KINDS:
        try:
            damage.case(kind)
            yield kind, None
        except Finding as finding:
            yield kind, finding
    damage.end()
