// The SQL of an upsert, from plans made by hand.

#include <gtest/gtest.h>

#include "bulk/expressions.h"
#include "bulk/statements.h"
#include "upsert.h"

namespace vext::bulk {
namespace {

using test::make_column;
using test::make_integer;
using test::make_key;
using test::make_text;
using test::make_vector;
using test::Planned;
using test::TestArena;

const std::string kChosen =
    "WITH candidate AS MATERIALIZED (SELECT k.source_row, k.place, s.ctid AS tid, s.id AS c1, "
    "s.n AS c2 FROM unnest($1, $2) WITH ORDINALITY k(tid, source_row, place) JOIN ONLY "
    "pg_temp.stage s ON s.ctid OPERATOR(pg_catalog.=) k.tid)";
const std::string kInsert =
    "INSERT INTO s.items AS t (id, n) OVERRIDING SYSTEM VALUE SELECT s.c1, s.c2 FROM (SELECT s.* "
    "FROM candidate s";
const std::string kInOrder =
    " ORDER BY s.place OFFSET 0) s WHERE x.vector_bulk_row(s.source_row, false)";
const std::string kMatch = "t.id OPERATOR(pg_catalog.=) s.c1";
const std::string kChanged =
    "CASE WHEN x.vector_bulk_row(s.source_row, true) THEN ROW(t.n::pg_catalog.int4)"
    "::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW((s.c2)::pg_catalog.int4)::pg_catalog.record "
    "END";
const std::string kUpdate =
    " ON CONFLICT (id) DO UPDATE SET n = excluded.n WHERE ROW(t.n::pg_catalog.int4)"
    "::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW((excluded.n)::pg_catalog.int4)"
    "::pg_catalog.record RETURNING ";
const std::string kSame =
    ", same AS (SELECT pg_catalog.count(*) AS n FROM candidate s JOIN ONLY s.items t ON " + kMatch +
    " WHERE NOT (" + kChanged + "))";

class UpsertStatements : public testing::Test {
   protected:
    static Planned
    make_simple() {
        return Planned({make_key(make_integer("id")), make_integer("n")});
    }

    Statements
    make(const Plan& plan) {
        return make_statements(arena_.arena(), plan);
    }

    static bool
    contains(Text text, Text part) {
        return text.find(part) != Text::npos;
    }

    TestArena arena_;
};

TEST_F(UpsertStatements, InsertOnly) {
    Planned planned = make_simple();
    EXPECT_EQ(make(planned.decide()).write, kChosen + ", w AS (" + kInsert + kInOrder +
                                                " RETURNING 1) SELECT "
                                                "ARRAY[pg_catalog.count(*)] FROM w");
}

TEST_F(UpsertStatements, InsertThatNamesKeysMadeMeanwhile) {
    Planned planned = make_simple();
    planned.options.has_rejects = true;
    EXPECT_EQ(make(planned.decide()).write,
              kChosen + ", w AS (" + kInsert + kInOrder +
                  " ON CONFLICT (id) DO NOTHING RETURNING t.id AS k1) SELECT ARRAY[(SELECT "
                  "pg_catalog.count(*) FROM w)] OPERATOR(pg_catalog.||) CASE WHEN (SELECT "
                  "pg_catalog.count(*) FROM w) OPERATOR(pg_catalog.<) (SELECT pg_catalog.count(*) "
                  "FROM candidate) THEN ARRAY(SELECT s.place FROM candidate s WHERE NOT EXISTS "
                  "(SELECT FROM w WHERE w.k1 OPERATOR(pg_catalog.=) s.c1) ORDER BY 1) END");
}

TEST_F(UpsertStatements, Skip) {
    Planned planned = make_simple();
    EXPECT_EQ(make(planned.decide(OnConflict::kSkip)).write,
              kChosen + ", w AS (" + kInsert +
                  " WHERE NOT EXISTS (SELECT FROM ONLY s.items t "
                  "WHERE " +
                  kMatch + ")" + kInOrder +
                  " ON CONFLICT (id) DO NOTHING RETURNING 1) SELECT ARRAY[pg_catalog.count(*)] "
                  "FROM w");
}

TEST_F(UpsertStatements, UpdateInOneStatement) {
    Planned planned = make_simple();
    const Statements made = make(planned.decide(OnConflict::kUpdate));
    EXPECT_EQ(made.write,
              kChosen + ", w AS (" + kInsert + " LEFT JOIN ONLY s.items t ON " + kMatch +
                  " WHERE t.id IS NULL OR " + kChanged + kInOrder + kUpdate +
                  "t.xmax OPERATOR(pg_catalog.=) 0 AS is_new) SELECT ARRAY[pg_catalog.count(*) "
                  "FILTER (WHERE is_new), pg_catalog.count(*) FILTER (WHERE NOT is_new)] FROM w");
    EXPECT_EQ(Text(made.lock),
              "SELECT pg_catalog.pg_advisory_xact_lock_shared("
              "pg_catalog.hashtextextended('vector_bulk_upsert', 42))");
}

TEST_F(UpsertStatements, UpdateApartFromInserts) {
    Planned planned = make_simple();
    planned.plan.target.has_insert_triggers = true;
    const Statements made = make(planned.decide(OnConflict::kUpdate));
    EXPECT_EQ(made.write,
              kChosen + kSame +
                  ", u AS (UPDATE ONLY s.items t SET n = s.c2 FROM candidate s "
                  "WHERE " +
                  kMatch + " AND CASE WHEN " + kChanged +
                  " THEN x.vector_bulk_row(s.source_row, false) ELSE false END RETURNING 1), w AS "
                  "(" +
                  kInsert + " WHERE NOT EXISTS (SELECT FROM ONLY s.items t WHERE " + kMatch + ")" +
                  kInOrder + kUpdate +
                  "t.xmax OPERATOR(pg_catalog.=) 0 AS is_new) SELECT ARRAY[pg_catalog.count(*) "
                  "FILTER (WHERE is_new), pg_catalog.count(*) FILTER (WHERE NOT is_new) "
                  "OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM u), (SELECT n FROM "
                  "same)] FROM w");
    EXPECT_EQ(Text(made.lock),
              "SELECT pg_catalog.pg_advisory_xact_lock("
              "pg_catalog.hashtextextended('vector_bulk_upsert', 42))");
}

TEST_F(UpsertStatements, UpdateOfPartitions) {
    Planned planned = make_simple();
    planned.plan.target.is_partitioned = true;
    const Text write = make(planned.decide(OnConflict::kUpdate)).write;
    EXPECT_TRUE(contains(write, "UPDATE s.items t SET"));
    EXPECT_TRUE(contains(write, "RETURNING true AS is_new"));
}

TEST_F(UpsertStatements, UpdateThatSetsNothing) {
    Planned planned = make_simple();
    const MergeRule rule = {"n", Rule::kKeep};
    planned.options.merge = {&rule, 1};
    planned.plan.target.has_update_triggers = true;
    EXPECT_EQ(make(planned.decide(OnConflict::kUpdate)).write,
              kChosen +
                  ", same AS (SELECT pg_catalog.count(*) AS n FROM candidate s JOIN ONLY "
                  "s.items t ON " +
                  kMatch + "), w AS (" + kInsert +
                  " WHERE NOT EXISTS (SELECT FROM ONLY s.items t WHERE " + kMatch + ")" + kInOrder +
                  " ON CONFLICT (id) DO NOTHING RETURNING 1) SELECT ARRAY[pg_catalog.count(*), 0, "
                  "(SELECT n FROM same)] FROM w");
}

TEST_F(UpsertStatements, KeysInTheOrderAndCollationOfTheirIndex) {
    Planned planned({make_key(make_text("a"), 2), make_key(make_text("b"), 1), make_text("t")});
    planned.columns[1].key_collation = " COLLATE pg_catalog.\"C\"";
    planned.columns[1].source_type.oid = 2;
    const Plan& plan = planned.decide(OnConflict::kUpdate);
    core::Arena& arena = arena_.arena();
    EXPECT_EQ(key_names(arena, plan), "b, a");
    EXPECT_EQ(key_values(arena, plan), "s.c2::pg_catalog.text COLLATE pg_catalog.\"C\", s.c1");
    EXPECT_EQ(key_matches(arena, plan),
              "t.b OPERATOR(pg_catalog.=) s.c2::pg_catalog.text COLLATE pg_catalog.\"C\" AND t.a "
              "OPERATOR(pg_catalog.=) s.c1");
    EXPECT_EQ(key_text_of_source(arena, plan),
              "pg_catalog.concat_ws(', ', s.b::pg_catalog.text, s.a::pg_catalog.text)");
}

struct RuleCase {
    Rule rule;
    char category;
    Text excluded;
    Text staged;
};

TEST_F(UpsertStatements, Rules) {
    const RuleCase cases[] = {
        {Rule::kReplace, 'N', "excluded.n", "s.c1"},
        {Rule::kNow, 'D', "pg_catalog.now()::T", "pg_catalog.now()::T"},
        {Rule::kMax, 'S', "GREATEST(t.n, excluded.n)", "GREATEST(t.n, s.c1 COLLATE c)"},
        {Rule::kMin, 'N', "LEAST(t.n, excluded.n)", "LEAST(t.n, s.c1 COLLATE c)"},
        {Rule::kCoalesce, 'N', "COALESCE(excluded.n, t.n)", "COALESCE(s.c1, t.n)"},
        {Rule::kSum, 'N',
         "(CASE WHEN excluded.n IS NULL THEN t.n WHEN t.n IS NULL THEN excluded.n ELSE t.n "
         "OPERATOR(own.+) excluded.n END)::T",
         "(CASE WHEN s.c1 IS NULL THEN t.n WHEN t.n IS NULL THEN s.c1 ELSE t.n OPERATOR(own.+) "
         "s.c1 END)::T"},
        {Rule::kConcat, 'S',
         "(CASE WHEN excluded.n IS NULL THEN t.n WHEN t.n IS NULL THEN excluded.n ELSE "
         "t.n::pg_catalog.text OPERATOR(pg_catalog.||) excluded.n::pg_catalog.text END)::T",
         "(CASE WHEN s.c1 IS NULL THEN t.n WHEN t.n IS NULL THEN s.c1 ELSE t.n::pg_catalog.text "
         "OPERATOR(pg_catalog.||) s.c1::pg_catalog.text END)::T"},
        {Rule::kConcat, 'A',
         "(CASE WHEN excluded.n IS NULL THEN t.n WHEN t.n IS NULL THEN excluded.n ELSE "
         "pg_catalog.array_cat(t.n, excluded.n) END)::T",
         "(CASE WHEN s.c1 IS NULL THEN t.n WHEN t.n IS NULL THEN s.c1 ELSE "
         "pg_catalog.array_cat(t.n, s.c1) END)::T"},
        {Rule::kConcat, 'U',
         "(CASE WHEN excluded.n IS NULL THEN t.n WHEN t.n IS NULL THEN excluded.n ELSE t.n "
         "OPERATOR(own.||) excluded.n END)::T",
         "(CASE WHEN s.c1 IS NULL THEN t.n WHEN t.n IS NULL THEN s.c1 ELSE t.n OPERATOR(own.||) "
         "s.c1 END)::T"},
    };
    for (const RuleCase& one : cases) {
        Column column = make_column("n", "T", one.category);
        column.number = 1;
        column.collation = " COLLATE c";
        column.sum_schema = column.concat_schema = "own";
        column.rule = one.rule;
        EXPECT_EQ(updated_value(arena_.arena(), column, Given::kExcluded), one.excluded);
        EXPECT_EQ(updated_value(arena_.arena(), column, Given::kStaged), one.staged);
    }
}

TEST_F(UpsertStatements, NowFillsWhatNewRowsLack) {
    Planned planned({make_key(make_integer("id")), make_column("given", "T", 'D'),
                     make_column("absent", "T", 'D'), make_column("with_default", "T", 'D')});
    planned.columns[2].is_in_source = planned.columns[3].is_in_source = false;
    planned.columns[3].has_default = true;
    const MergeRule rules[] = {
        {"given", Rule::kNow}, {"absent", Rule::kNow}, {"with_default", Rule::kNow}};
    planned.options.merge = rules;
    const Plan& plan = planned.decide(OnConflict::kUpdate);
    EXPECT_EQ(inserted_names(arena_.arena(), plan), "id, given, absent");
    EXPECT_EQ(inserted_values(arena_.arena(), plan),
              "s.c1, COALESCE(s.c2, pg_catalog.now()::T), pg_catalog.now()::T");
    EXPECT_EQ(assignments(arena_.arena(), plan, Given::kExcluded),
              "given = pg_catalog.now()::T, absent = pg_catalog.now()::T, with_default = "
              "pg_catalog.now()::T");
    // The time alone is no change.
    EXPECT_EQ(change_condition(arena_.arena(), plan, Given::kExcluded), "");
}

TEST_F(UpsertStatements, BadRowsBeforeTheyAreOrdered) {
    Planned planned({make_key(make_integer("id")), make_vector("v", 3), make_vector("w", 2)});
    planned.columns[2].source_type = {9, -1, 'S', "pg_catalog.text", "pg_catalog.text", "text"};
    planned.columns[1].is_required = true;
    const Statements made = make(planned.decide(OnConflict::kUpdate));
    ASSERT_EQ(made.before_order.size(), 1U);
    EXPECT_EQ(made.before_order[0].when, When::kEarly);
    EXPECT_EQ(
        Text(made.before_order[0].text),
        "WITH candidate AS (SELECT s.* FROM (SELECT s.ctid AS tid, pg_catalog.row_number() OVER () "
        "AS source_row, s.id AS c1, s.v AS c2, s.w AS r3, x.vector_try_parse(s.w) AS c3 FROM ONLY "
        "pg_temp.stage s) s WHERE s.source_row OPERATOR(pg_catalog.<) $2 AND s.tid "
        "OPERATOR(pg_catalog.<>) ALL ($1) OFFSET 0) SELECT b.tid, b.source_row, b.problem[1], "
        "b.problem[2], b.problem[3] FROM (SELECT s.tid, s.source_row, CASE WHEN s.r3 IS NOT NULL "
        "AND s.c3 IS NULL THEN ARRAY[NULL, s.r3::pg_catalog.text, '3'] WHEN y.vector_dims(s.c2) "
        "OPERATOR(pg_catalog.<>) 3 THEN ARRAY['22000', pg_catalog.format('expected 3 dimensions, "
        "not %s', y.vector_dims(s.c2))] WHEN y.vector_dims(s.c3) OPERATOR(pg_catalog.<>) 2 THEN "
        "ARRAY['22000', pg_catalog.format('expected 2 dimensions, not %s', y.vector_dims(s.c3))] "
        "WHEN s.c1 IS NULL THEN ARRAY['23502', 'null value in column \"id\" of relation \"items\" "
        "violates not-null constraint'] WHEN s.c2 IS NULL THEN ARRAY['23502', 'null value in "
        "column \"v\" of relation \"items\" violates not-null constraint'] END AS problem FROM "
        "candidate s) b WHERE b.problem IS NOT NULL AND b.source_row OPERATOR(pg_catalog.<) $2 AND "
        "b.tid OPERATOR(pg_catalog.<>) ALL ($1) ORDER BY b.source_row LIMIT $3");
}

TEST_F(UpsertStatements, ConversionsAreTriedFirst) {
    Planned planned = make_simple();
    EXPECT_EQ(make(planned.decide()).trial, nullptr);
    Planned converted = make_simple();
    converted.columns[1].source_type.oid = 2;
    const Statements made = make(converted.decide());
    EXPECT_EQ(Text(made.trial),
              "SELECT pg_catalog.count(s.c2::pg_catalog.int4) FROM (SELECT s.id "
              "AS c1, s.n AS c2 FROM ONLY pg_temp.stage s) s");
}

TEST_F(UpsertStatements, ConstraintsThatAreJudgedBefore) {
    const int places[] = {1};
    const Check check = {"it's", "(n > 0)", places};
    const ForeignKeyColumn pair = {1, "other_id", "OPERATOR(pg_catalog.=)"};
    const ForeignKey key = {"f", "s.other", {&pair, 1}, false, true};
    Planned planned = make_simple();
    planned.plan.checks = {&check, 1};
    planned.plan.foreign_keys = {&key, 1};
    const Statements made = make(planned.decide());
    ASSERT_EQ(made.before_order.size(), 3U);
    EXPECT_EQ(made.before_order[1].when, When::kCondition);
    EXPECT_TRUE(contains(made.before_order[1].text,
                         "CASE WHEN (SELECT ((n > 0)) IS FALSE FROM (SELECT s.c2 AS n) x) THEN "
                         "ARRAY['23514', 'new row for relation \"items\" violates check constraint "
                         "\"it''s\"'] END AS problem FROM candidate s"));
    EXPECT_TRUE(contains(made.before_order[2].text,
                         "FROM candidate s WHERE s.c2 IS NOT NULL AND NOT EXISTS (SELECT FROM "
                         "s.other r WHERE r.other_id OPERATOR(pg_catalog.=) s.c2)"));
    // A trigger may yet change the row.
    Planned triggered = make_simple();
    triggered.plan.checks = {&check, 1};
    triggered.plan.target.has_insert_triggers = true;
    EXPECT_EQ(make(triggered.decide()).before_order.size(), 1U);
}

TEST_F(UpsertStatements, BadRowsBesideOthers) {
    Planned planned = make_simple();
    const Statements made = make(planned.decide());
    ASSERT_EQ(made.after_order.size(), 2U);
    EXPECT_EQ(made.after_order[0].when, When::kIfTwice);
    EXPECT_TRUE(contains(made.after_order[0].text,
                         "pg_catalog.format('key (%s)=(%s) is in \"%s\" twice: rows %s and %s', "
                         "'id', pg_catalog.concat_ws(', ', s.c1::pg_catalog.text), 'stage', "
                         "s.first_row, s.source_row)"));
    EXPECT_EQ(made.after_order[1].when, When::kLate);
    EXPECT_TRUE(contains(made.after_order[1].text, "WHERE EXISTS (SELECT FROM ONLY s.items t"));
    // Where the key cannot be read, the server tells.
    Planned unread = make_simple();
    unread.columns[0].may_select = false;
    EXPECT_EQ(make(unread.decide()).after_order.size(), 1U);
    Planned chosen = make_simple();
    chosen.options.duplicates = Duplicates::kLast;
    EXPECT_TRUE(make(chosen.decide(OnConflict::kSkip)).after_order.empty());
    EXPECT_TRUE(contains(make(chosen.plan).order, "ORDER BY s.source_row DESC) AS nth"));
    // Old rows need no value for what the source lacks.
    Planned lacking = make_simple();
    lacking.columns[1].is_in_source = false;
    lacking.columns[1].is_required = true;
    lacking.options.duplicates = Duplicates::kFirst;
    const Statements late = make(lacking.decide(OnConflict::kUpdate));
    ASSERT_EQ(late.after_order.size(), 1U);
    EXPECT_TRUE(contains(late.after_order[0].text, "CASE WHEN true THEN ARRAY['23502', "));
}

TEST_F(UpsertStatements, WithoutAKey) {
    Planned planned({make_integer("n")});
    planned.options.has_rejects = true;
    planned.plan.rejects.quoted = "s.rejects";
    const Statements made = make(planned.decide());
    EXPECT_TRUE(contains(made.order, "1 AS nth, s.source_row AS place FROM candidate s"));
    EXPECT_TRUE(made.after_order.empty());
    EXPECT_EQ(made.key_of_row, nullptr);
    EXPECT_EQ(Text(made.reject),
              "INSERT INTO s.rejects (source_row, key, sqlstate, message, raw) SELECT "
              "b.source_row, NULL, b.sqlstate, b.message, pg_catalog.row_to_json(s.*)"
              "::pg_catalog.text FROM unnest($1, $2, $3, $4) b(tid, source_row, sqlstate, message) "
              "JOIN ONLY pg_temp.stage s ON s.ctid OPERATOR(pg_catalog.=) b.tid ORDER BY 1");
}

TEST_F(UpsertStatements, AKeyOfAnExpressionForSomeRows) {
    Planned planned({make_text("email"), make_integer("gone"), make_integer("n")});
    planned.columns[0].is_in_key_expression = true;
    const int email = 0;
    const int gone = 1;
    const KeyExpression key = {1,
                               {"lower(t.email)", "lower(r.email)", "lower(email)", {&email, 1}},
                               "OPERATOR(pg_catalog.=)",
                               ""};
    planned.plan.target.key_expressions = {&key, 1};
    planned.plan.target.key_predicate = {
        true, false, {"(t.gone IS NULL)", "(r.gone IS NULL)", "(gone IS NULL)", {&gone, 1}}};
    const Statements made = make(planned.decide(OnConflict::kUpdate));
    EXPECT_EQ(planned.columns[0].rule, Rule::kNone);
    EXPECT_TRUE(contains(made.write, " ON CONFLICT ((lower(email))) WHERE (gone IS NULL) DO "));
    EXPECT_TRUE(contains(made.write,
                         "lower(t.email) OPERATOR(pg_catalog.=) (SELECT lower(r.email) FROM "
                         "(SELECT s.c1 AS email) r) AND ((t.gone IS NULL)) AND (SELECT (r.gone IS "
                         "NULL) FROM (SELECT s.c2 AS gone) r) WHERE t.ctid IS NULL OR "));
    EXPECT_TRUE(contains(made.order, "THEN 0 ELSE s.source_row END"));
    ASSERT_EQ(made.before_order.size(), 1U);
    EXPECT_TRUE(contains(made.before_order[0].text, "null value in key lower(email) of relation"));
}

TEST_F(UpsertStatements, AKeyInWhichNullsAreEqual) {
    Planned planned = make_simple();
    planned.columns[0].is_key_null_equal = true;
    planned.columns[0].is_required = false;
    const Statements made = make(planned.decide(OnConflict::kUpdate));
    EXPECT_TRUE(contains(made.write,
                         "ON (t.id OPERATOR(pg_catalog.=) s.c1 OR (t.id IS NULL AND "
                         "s.c1 IS NULL)) WHERE t.ctid IS NULL OR "));
    EXPECT_TRUE(made.before_order.empty());
}

TEST_F(UpsertStatements, RejectsSayWhereTheyAreFrom) {
    Planned planned = make_simple();
    planned.options.has_rejects = true;
    planned.plan.rejects = {"s.rejects", true, true};
    planned.plan.source.line = "vector_stage_line";
    const Text reject = make(planned.decide()).reject;
    EXPECT_TRUE(contains(reject, "raw, source, line) SELECT"));
    EXPECT_TRUE(contains(reject, "(SELECT s.id, s.n) r), 'stage', s.vector_stage_line FROM"));
}

TEST_F(UpsertStatements, ReferencesWithinTheLoad) {
    Planned planned = make_simple();
    const ForeignKeyColumn pair = {1, "id", "OPERATOR(pg_catalog.=)"};
    const ForeignKey key = {"fk", "s.items", {&pair, 1}, true, true};
    planned.plan.foreign_keys = {&key, 1};
    const Statements made = make(planned.decide(OnConflict::kSkip));
    const BadRowQuery& last = made.after_order.back();
    EXPECT_EQ(last.when, When::kReferences);
    EXPECT_TRUE(contains(last.text,
                         "NOT EXISTS (SELECT FROM s.items r WHERE r.id OPERATOR(pg_catalog.=) "
                         "s.c2) AND NOT EXISTS (SELECT FROM (SELECT s.c1 AS id FROM candidate s) "
                         "r WHERE r.id OPERATOR(pg_catalog.=) s.c2)"));
}

TEST_F(UpsertStatements, OthersAreKeptAway) {
    Planned planned = make_simple();
    planned.options.is_exclusive = true;
    EXPECT_TRUE(contains(make(planned.decide()).lock, "pg_advisory_xact_lock(pg_catalog.hash"));
}

TEST_F(UpsertStatements, ACopyIsDropped) {
    Planned planned = make_simple();
    EXPECT_EQ(make(planned.decide()).drop, nullptr);
    Planned copied = make_simple();
    copied.plan.source.is_copy = true;
    EXPECT_EQ(Text(make(copied.decide()).drop), "DROP TABLE pg_temp.stage");
}

TEST_F(UpsertStatements, Literals) {
    EXPECT_EQ(literal(arena_.arena(), ""), "''");
    EXPECT_EQ(literal(arena_.arena(), "it's"), "'it''s'");
    EXPECT_EQ(literal(arena_.arena(), "a\\'b"), " E'a\\\\''b'");
}

}  // namespace
}  // namespace vext::bulk
