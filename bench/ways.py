"""The ways that rows come into an index, as bench/quality takes them: each leaves a table t of (id, v)
whose index is t_v. The tables they come from are made once for a side and a shape: p, the rows; moves,
other vectors for some of them, by round; q, the queries."""

N_ROUNDS = 20
A_ROUND = 10  # a tenth of the rows moves in a round
A_BATCH = 100  # rows of a transaction of upserts

ONE_ROW = "INSERT INTO t SELECT id, v FROM p WHERE id = (SELECT nextval('turn'));\n"
ONE_BATCH = (f"SELECT {A_BATCH} * nextval('turn') AS last \\gset\n"
             f"INSERT INTO t SELECT id, v FROM p WHERE id > :last - {A_BATCH} AND id <= :last "
             "ON CONFLICT (id) DO UPDATE SET v = excluded.v;\n")
ONE_MOVE = ("UPDATE t SET v = m.v FROM moves m WHERE m.round = {0} AND t.id = m.id "
            "AND m.place = (SELECT nextval('turn'));\n")
ONE_RETURN = ("INSERT INTO t SELECT id, v FROM moves WHERE round = {0} "
              "AND place = (SELECT nextval('turn'));\n")
VACUUM = "VACUUM (INDEX_CLEANUP on) t"


class Ways:
    """On one side, for one type and operator class."""

    def __init__(self, side, form, opclass, n_rows):
        self.side = side
        self.form = form
        self.index = f"CREATE INDEX t_v ON t USING hnsw (v {opclass})"
        self.n_rows = n_rows

    def load(self, files):
        """Makes the tables that rows come from; `files` by their names, in COPY's binary form."""
        self.side.sql(
            "DROP TABLE IF EXISTS p, q, moves, t; DROP SEQUENCE IF EXISTS turn;"
            "CREATE SEQUENCE turn;"
            f"CREATE TABLE p (id bigint PRIMARY KEY, v {self.form.sql});"
            f"CREATE TABLE q (id bigint, v {self.form.sql});"
            f"CREATE TABLE moves (id bigint, round int, place int, v {self.form.sql},"
            " PRIMARY KEY (round, place));\n"
            + "".join(f"\\copy {name} FROM '{path}' (FORMAT binary)\n"
                      for name, path in files.items())
            + "VACUUM ANALYZE p; ANALYZE q; ANALYZE moves;")
        self.base_file = files["p"]

    def empty(self, script=""):
        self.side.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id bigint PRIMARY KEY, "
                      f"v {self.form.sql}); ALTER SEQUENCE turn RESTART;\n{script}",
                      maintenance_work_mem="1GB")

    def clients(self, script, n_clients, n_each):
        self.side.sql("ALTER SEQUENCE turn RESTART")
        self.side.pgbench(script, n_clients, ["-t", str(n_each)])

    # --- ways ---

    def create(self):
        self.empty(f"INSERT INTO t SELECT id, v FROM p ORDER BY id; {self.index}")

    def copy(self):
        self.empty(f"{self.index};\n\\copy t FROM '{self.base_file}' (FORMAT binary)\n")

    def insert(self, n_clients=1):
        """Each row by a transaction of its own."""
        self.empty(self.index)
        self.clients(ONE_ROW, n_clients, self.n_rows // n_clients)

    def insert_by_ten(self):
        self.insert(10)

    def upsert(self):
        """Rows of which a quarter is there, with other vectors."""
        self.empty(f"INSERT INTO t SELECT id, v FROM moves WHERE round = 0 ORDER BY id; {self.index}")
        self.clients(ONE_BATCH, 1, self.n_rows // A_BATCH)
        self.side.sql(VACUUM)

    def churn(self):
        """Updates and deletes in turns, by one statement each."""
        self.create()
        for i in range(1, N_ROUNDS + 1):
            if i % 2:
                self.side.sql("UPDATE t SET v = m.v FROM moves m "
                              f"WHERE m.round = {i} AND m.id = t.id; {VACUUM}")
            else:
                self.side.sql(f"DELETE FROM t USING moves m WHERE m.round = {i} AND m.id = t.id;"
                              f"{VACUUM};"
                              f"INSERT INTO t SELECT id, v FROM moves WHERE round = {i}")

    def churn_of_inserts(self):
        """The same by a transaction for each row, of an index whose rows came so."""
        self.insert()
        for i in range(1, N_ROUNDS + 1):
            n_each = self.n_rows // A_ROUND
            if i % 2:
                self.clients(ONE_MOVE.format(i), 1, n_each)
                self.side.sql(VACUUM)
            else:
                self.side.sql(f"DELETE FROM t USING moves m WHERE m.round = {i} AND m.id = t.id;"
                              f"{VACUUM}")
                self.clients(ONE_RETURN.format(i), 1, n_each)

    def fresh(self):
        """What churn left, built anew."""
        self.side.sql("REINDEX INDEX t_v", maintenance_work_mem="1GB")
