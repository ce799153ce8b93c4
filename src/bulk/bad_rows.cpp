#include "bulk/bad_rows.h"

namespace vext::bulk {

namespace {

using core::concat;
using core::Separator;
using core::TextBuilder;

// A fault as the result of an arm or a query: `text` is an expression. Without a state it is a text
// that is no vector, and a third element says of which column.
Text
fault(const Pieces& pieces, Text state, Text text) {
    return concat(pieces.arena, "ARRAY['", state, "', ", text, "]");
}

void
add_query(const Pieces& pieces, core::Array<BadRowQuery>& queries, When when, Text rows,
          Text query) {
    const char* text = pieces.statement(
        rows, " SELECT b.tid, b.source_row, b.problem[1], b.problem[2], b.problem[3] FROM (", query,
        ") b WHERE b.problem IS NOT NULL AND b.source_row", kLess, "$2 AND b.tid", kUnequal,
        "ALL ($1) ORDER BY b.source_row LIMIT $3");
    queries.push_back({when, text});
}

// Arms of a CASE.
Text
arms_of_nulls(const Pieces& pieces, NullFault wanted) {
    TextBuilder arms(pieces.arena);
    for (const Column& column : pieces.plan.columns) {
        if (null_fault(pieces.plan, column) != wanted)
            continue;
        arms.add(" WHEN ");
        if (is_inserted(column))
            arms.add(inserted_value(pieces.arena, column), " IS NULL");
        else
            arms.add("true");
        arms.add(
            " THEN ",
            fault(pieces, "23502",
                  literal(pieces.arena, concat(pieces.arena, "null value in column \"", column.name,
                                               "\" of relation \"", pieces.plan.target.name,
                                               "\" violates not-null constraint"))));
    }
    return arms.text();
}

// Texts that are no vectors come before wrong dimensions, those before NULL.
Text
arms_of_values(const Pieces& pieces) {
    TextBuilder arms(pieces.arena);
    for (const Column& column : pieces.plan.columns)
        if (column.is_supplied && column.is_parsed)
            arms.add(" WHEN s.r", column.number, " IS NOT NULL AND s.c", column.number,
                     " IS NULL THEN ARRAY[NULL, s.r", column.number, "::pg_catalog.text, '",
                     column.number, "']");
    for (const Column& column : pieces.plan.columns)
        if (column.is_supplied && column.n_dims > 0) {
            const Text n_dims = concat(pieces.arena, pieces.plan.types, "vector_dims(",
                                       value_of(pieces.arena, column), ")");
            arms.add(" WHEN ", n_dims, kUnequal, column.n_dims, " THEN ",
                     fault(pieces, "22000",
                           concat(pieces.arena, "pg_catalog.format('expected ", column.n_dims,
                                  " dimensions, not %s', ", n_dims, ")")));
        }
    for (const Column& column : pieces.plan.columns)
        if (column.is_supplied && column.n_characters > 0)
            arms.add(" WHEN pg_catalog.length(pg_catalog.rtrim(s.c", column.number,
                     "::", column.type.name, "::pg_catalog.text, ' '))", kGreater,
                     column.n_characters, " THEN ",
                     fault(pieces, "22001",
                           literal(pieces.arena, concat(pieces.arena, "value too long for type ",
                                                        column.type.shown))));
    arms.add(arms_of_nulls(pieces, NullFault::kAlways));
    if (!pieces.plan.target.are_key_nulls_equal)
        for (const KeyExpression& key : pieces.plan.target.key_expressions)
            arms.add(" WHEN ", key_expression_of_source(pieces.arena, pieces.plan, key),
                     " IS NULL THEN ",
                     fault(pieces, "23502",
                           literal(pieces.arena,
                                   concat(pieces.arena, "null value in key ", key.value.plain,
                                          " of relation \"", pieces.plan.target.name, "\""))));
    return arms.text();
}

Text
arms_of_checks(const Pieces& pieces) {
    TextBuilder arms(pieces.arena);
    for (const Check& check : pieces.plan.checks) {
        if (where_judged(pieces.plan, check) != Judged::kBefore)
            continue;
        arms.add(" WHEN (SELECT (", check.condition, ") IS FALSE FROM (SELECT ");
        Separator between(", ");
        for (const int place : check.columns)
            arms.add(between.next(), inserted_value(pieces.arena, pieces.plan.columns[place]),
                     " AS ", pieces.plan.columns[place].quoted);
        arms.add(
            ") x) THEN ",
            fault(pieces, "23514",
                  literal(pieces.arena,
                          concat(pieces.arena, "new row for relation \"", pieces.plan.target.name,
                                 "\" violates check constraint \"", check.name, "\""))));
    }
    return arms.text();
}

// That the row s refers to no row of `table`, called r.
void
add_missing(const Pieces& pieces, const ForeignKey& key, Text table, TextBuilder& query) {
    query.add("NOT EXISTS (SELECT FROM ", table, " r WHERE ");
    Separator between(" AND ");
    for (const ForeignKeyColumn& pair : key.columns)
        query.add(between.next(), "r.", pair.other, " ", pair.equals, " ",
                  inserted_value(pieces.arena, pieces.plan.columns[pair.column]));
    query.add(")");
}

// The candidates as rows that others of them refer to; empty if they do not give those columns.
Text
referred_candidates(const Pieces& pieces, const ForeignKey& key) {
    TextBuilder list(pieces.arena);
    Separator between(", ");
    for (const ForeignKeyColumn& pair : key.columns)
        for (const Column& column : pieces.plan.columns)
            if (column.quoted == pair.other) {
                if (!is_inserted(column))
                    return {};
                list.add(between.next(), inserted_value(pieces.arena, column), " AS ",
                         column.quoted);
            }
    return concat(pieces.arena, "(SELECT ", list.text(), " FROM candidate s)");
}

Text
query_of(const Pieces& pieces, const ForeignKey& key) {
    TextBuilder query(pieces.arena);
    query.add(
        "SELECT s.tid, s.source_row, ",
        fault(pieces, "23503",
              literal(pieces.arena,
                      concat(pieces.arena, "insert or update on table \"", pieces.plan.target.name,
                             "\" violates foreign key constraint \"", key.name, "\""))),
        " AS problem FROM candidate s WHERE ");
    for (const ForeignKeyColumn& pair : key.columns)
        query.add(inserted_value(pieces.arena, pieces.plan.columns[pair.column]),
                  " IS NOT NULL AND ");
    add_missing(pieces, key, key.table, query);
    if (!key.is_own)
        return query.text();
    if (const Text others = referred_candidates(pieces, key); !others.empty()) {
        query.add(" AND ");
        add_missing(pieces, key, others, query);
    }
    return query.text();
}

Text
query_of_twice(const Pieces& pieces) {
    return concat(
        pieces.arena, "SELECT s.tid, s.source_row, ",
        fault(
            pieces, "21000",
            concat(pieces.arena, "pg_catalog.format(",
                   literal(pieces.arena, "key (%s)=(%s) is in \"%s\" twice: rows %s and %s"), ", ",
                   literal(pieces.arena, key_names(pieces.arena, pieces.plan)), ", ",
                   key_text(pieces.arena, pieces.plan), ", ",
                   literal(pieces.arena, pieces.plan.source.name), ", s.first_row, s.source_row)")),
        " AS problem FROM (SELECT s.*, pg_catalog.min(s.source_row) OVER (PARTITION BY ",
        key_groups(pieces.arena, pieces.plan),
        ") AS first_row FROM candidate s) s WHERE s.first_row", kLess, "s.source_row");
}

void
add_queries_of_keys(const Pieces& pieces, core::Array<BadRowQuery>& queries) {
    if (pieces.plan.options.duplicates == Duplicates::kError)
        add_query(pieces, queries, When::kIfTwice, pieces.all_rows(), query_of_twice(pieces));
    const Text rows = pieces.chosen_rows("$4, $5");
    if (pieces.plan.options.on_conflict == OnConflict::kError && may_read_key(pieces.plan.columns))
        add_query(
            pieces, queries, When::kLate, rows,
            concat(pieces.arena, "SELECT s.tid, s.source_row, ",
                   fault(pieces, "23505", literal(pieces.arena, pieces.message_of_existing_key())),
                   " AS problem FROM candidate s WHERE EXISTS (SELECT FROM ", pieces.existing,
                   " WHERE ", pieces.match, ")"));
    const Text arms = arms_of_nulls(pieces, NullFault::kInNewRows);
    if (!arms.empty())
        add_query(pieces, queries, When::kLate, rows,
                  concat(pieces.arena, "SELECT s.tid, s.source_row, CASE", arms,
                         " END AS problem FROM candidate s WHERE ", pieces.is_absent()));
}

}  // namespace

void
add_queries_before_order(const Pieces& pieces, core::Array<BadRowQuery>& queries) {
    auto add_arms = [&](When when, Text arms) {
        if (!arms.empty())
            add_query(pieces, queries, when, pieces.all_rows(),
                      concat(pieces.arena, "SELECT s.tid, s.source_row, CASE", arms,
                             " END AS problem FROM candidate s"));
    };
    add_arms(When::kEarly, arms_of_values(pieces));
    // Triggers see a row before its constraints do.
    if (pieces.plan.target.has_insert_triggers)
        return;
    add_arms(When::kCondition, arms_of_checks(pieces));
    for (const ForeignKey& key : pieces.plan.foreign_keys)
        if (!key.is_own && where_judged(pieces.plan, key) == Judged::kBefore)
            add_query(pieces, queries, When::kEarly, pieces.all_rows(), query_of(pieces, key));
}

void
add_queries_after_order(const Pieces& pieces, core::Array<BadRowQuery>& queries) {
    if (!pieces.match.empty())
        add_queries_of_keys(pieces, queries);
    if (pieces.plan.target.has_insert_triggers)
        return;
    for (const ForeignKey& key : pieces.plan.foreign_keys)
        if (key.is_own && where_judged(pieces.plan, key) == Judged::kBefore)
            add_query(pieces, queries, When::kReferences, pieces.chosen_rows("$4, $5"),
                      query_of(pieces, key));
}

}  // namespace vext::bulk
