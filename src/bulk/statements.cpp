#include "bulk/statements.h"

#include "bulk/bad_rows.h"
#include "bulk/pieces.h"
#include "core/array.h"

namespace vext::bulk {

namespace {

using core::concat;
using core::Separator;
using core::TextBuilder;

constexpr Text kCountNew = "pg_catalog.count(*) FILTER (WHERE is_new)";
constexpr Text kCountOld = "pg_catalog.count(*) FILTER (WHERE NOT is_new)";

Text
conversions(const Pieces& pieces) {
    TextBuilder list(pieces.arena);
    Separator between(", ");
    for (const Column& column : pieces.plan.columns)
        if (column.is_supplied && !column.cast.empty() && !column.is_parsed)
            list.add(between.next(), "pg_catalog.count(", value_of(pieces.arena, column), ")");
    return list.text();
}

const char*
order(const Pieces& pieces) {
    const Text key = key_groups(pieces.arena, pieces.plan);
    TextBuilder out(pieces.arena);
    auto add_array = [&](Text column) {
        out.add("pg_catalog.array_agg(s.", column, " ORDER BY s.place) FILTER (WHERE s.nth",
                kEquals, "1), ");
    };
    out.add(pieces.all_rows(), " SELECT ");
    add_array("tid");
    add_array("source_row");
    out.add(kCount, " FILTER (WHERE s.nth", kGreater, "1) FROM (SELECT s.tid, s.source_row, ");
    if (key.empty())
        out.add("1 AS nth, s.source_row AS place");
    else
        out.add("pg_catalog.row_number() OVER (PARTITION BY ", key, " ORDER BY s.source_row",
                pieces.plan.options.duplicates == Duplicates::kLast ? " DESC" : "",
                ") AS nth, pg_catalog.row_number() OVER (ORDER BY ", key, ") AS place");
    return out.add(" FROM candidate s) s").c_str();
}

// Candidates are taken in the order of their keys, so that two loads wait for each other in one
// direction only; they are ordered before they are taken one by one.
Text
insert(const Pieces& pieces) {
    return concat(pieces.arena, "INSERT INTO ", pieces.plan.target.quoted, " AS t (",
                  inserted_names(pieces.arena, pieces.plan), ") OVERRIDING SYSTEM VALUE SELECT ",
                  inserted_values(pieces.arena, pieces.plan), " FROM (SELECT s.* FROM candidate s");
}

// Not all partitions have system columns to return, nor all users the right to see them; rows are
// then updated apart, and what is inserted nevertheless finds a row only where no load put it.
Text
update_on_conflict(const Pieces& pieces) {
    const bool has_xmax = !pieces.plan.target.is_partitioned && pieces.plan.target.may_read_xmax;
    return concat(pieces.arena, " ON CONFLICT ", conflict_target(pieces.arena, pieces.plan),
                  " DO UPDATE SET ", assignments(pieces.arena, pieces.plan, Given::kExcluded),
                  " WHERE ", change_condition(pieces.arena, pieces.plan, Given::kExcluded),
                  " RETURNING ", has_xmax ? "t.xmax OPERATOR(pg_catalog.=) 0" : "true",
                  " AS is_new");
}

// As a row is taken it is noted, for errors and progress.
Text
in_order(const Pieces& pieces) {
    return concat(pieces.arena, " ORDER BY s.place OFFSET 0) s WHERE ", pieces.plan.extension,
                  "vector_bulk_row(s.source_row, false)");
}

// Whether an update changes the row, which is noted as well; empty if nothing is updated.
Text
noted_change(const Pieces& pieces) {
    const Text changed = change_condition(pieces.arena, pieces.plan, Given::kStaged);
    return changed.empty() ? changed
                           : concat(pieces.arena, "CASE WHEN ", pieces.plan.extension,
                                    "vector_bulk_row(s.source_row, true) THEN ", changed, " END");
}

// For `error`. Guarded, it names rows whose key another transaction has inserted meanwhile.
Text
write_new(const Pieces& pieces) {
    core::Arena& arena = pieces.arena;
    if (!pieces.plan.ways.is_guarded)
        return concat(arena, ", w AS (", insert(pieces), in_order(pieces),
                      " RETURNING 1) SELECT ARRAY[", kCount, "] FROM w");
    const Text n_written = concat(arena, "(SELECT ", kCount, " FROM w)");
    return concat(arena, ", w AS (", insert(pieces), in_order(pieces), " ON CONFLICT ",
                  conflict_target(arena, pieces.plan), " DO NOTHING RETURNING ",
                  written_key(arena, pieces.plan), ") SELECT ARRAY[", n_written, "]", kAppend,
                  "CASE WHEN ", n_written, kLess, "(SELECT ", kCount,
                  " FROM candidate) THEN ARRAY(SELECT s.place FROM candidate s WHERE NOT EXISTS "
                  "(SELECT FROM w WHERE ",
                  written_key_matches(arena, pieces.plan), ") ORDER BY 1) END");
}

// Counts rows that exist as they should be, if the plan says so.
Text
count_same(const Pieces& pieces, Text changed) {
    if (!pieces.plan.ways.is_counted)
        return {};
    return concat(pieces.arena, ", same AS (SELECT ", kCount, " AS n FROM candidate s JOIN ",
                  pieces.existing, " ON ", pieces.match,
                  changed.empty() ? Text() : concat(pieces.arena, " WHERE NOT (", changed, ")"),
                  ")");
}

// For `skip`, and where no column is to be updated.
Text
write_absent(const Pieces& pieces) {
    const bool is_counted = pieces.plan.ways.is_counted;
    return concat(pieces.arena, count_same(pieces, {}), ", w AS (", insert(pieces), " WHERE ",
                  pieces.is_absent(), in_order(pieces), " ON CONFLICT ",
                  conflict_target(pieces.arena, pieces.plan),
                  " DO NOTHING RETURNING 1) SELECT ARRAY[", kCount,
                  is_counted ? ", 0, (SELECT n FROM same)" : "", "] FROM w");
}

// Rows that are as they should be are left out by the join, so that they are not even locked.
Text
write_joined(const Pieces& pieces, Text changed) {
    const Text is_new_row = is_without_match(pieces.arena, pieces.plan);
    return concat(pieces.arena, count_same(pieces, changed), ", w AS (", insert(pieces),
                  " LEFT JOIN ", pieces.existing, " ON ", pieces.match, " WHERE ", is_new_row,
                  " OR ", changed, in_order(pieces), update_on_conflict(pieces), ") SELECT ARRAY[",
                  kCountNew, ", ", kCountOld,
                  pieces.plan.ways.is_counted ? ", (SELECT n FROM same)" : "", "] FROM w");
}

Text
write_split(const Pieces& pieces, Text changed) {
    return concat(pieces.arena, count_same(pieces, changed), ", u AS (UPDATE ", pieces.existing,
                  " SET ", assignments(pieces.arena, pieces.plan, Given::kStaged),
                  " FROM candidate s WHERE ", pieces.match, " AND CASE WHEN ", changed, " THEN ",
                  pieces.plan.extension,
                  "vector_bulk_row(s.source_row, false) ELSE false END RETURNING 1), w AS (",
                  insert(pieces), " WHERE ", pieces.is_absent(), in_order(pieces),
                  update_on_conflict(pieces), ") SELECT ARRAY[", kCountNew, ", ", kCountOld, kPlus,
                  "(SELECT ", kCount, " FROM u), (SELECT n FROM same)] FROM w");
}

Text
write(const Pieces& pieces) {
    if (pieces.plan.options.on_conflict == OnConflict::kError)
        return write_new(pieces);
    const Text changed = noted_change(pieces);
    if (changed.empty())
        return write_absent(pieces);
    return pieces.plan.ways.is_split ? write_split(pieces, changed) : write_joined(pieces, changed);
}

// The row as JSON, without the column that the stage has added.
Text
raw(const Pieces& pieces) {
    if (pieces.plan.source.line.empty())
        return "pg_catalog.row_to_json(s.*)::pg_catalog.text";
    TextBuilder list(pieces.arena);
    Separator between(", ");
    for (const Column& column : pieces.plan.columns)
        if (column.is_in_source)
            list.add(between.next(), "s.", column.quoted);
    return concat(pieces.arena,
                  "(SELECT pg_catalog.row_to_json(r.*)::pg_catalog.text FROM (SELECT ", list.text(),
                  ") r)");
}

const char*
reject(const Pieces& pieces) {
    const RejectTable& table = pieces.plan.rejects;
    if (table.quoted.empty())
        return nullptr;
    const Text key = key_text_of_source(pieces.arena, pieces.plan);
    const Text line = pieces.plan.source.line;
    const bool has_line = table.has_line && !line.empty();
    return pieces.statement(
        "INSERT INTO ", table.quoted, " (source_row, key, sqlstate, message, raw",
        table.has_source ? ", source" : "", has_line ? ", line" : "", ") SELECT b.source_row, ",
        key.empty() ? Text("NULL") : key, ", b.sqlstate, b.message, ", raw(pieces),
        table.has_source
            ? concat(pieces.arena, ", ", literal(pieces.arena, pieces.plan.source.name))
            : Text(),
        has_line ? concat(pieces.arena, ", s.", line) : Text(),
        " FROM unnest($1, $2, $3, $4) b(tid, source_row, sqlstate, message) JOIN ", pieces.source,
        " s ON s.ctid", kEquals, "b.tid ORDER BY 1");
}

}  // namespace

Statements
make_statements(core::Arena& arena, const Plan& plan) {
    const Pieces pieces(arena, plan);
    Statements made = {};
    // Loads that take rows in one order do not wait for each other in a circle; one that updates
    // first and inserts then does not keep to it, and keeps the others away.
    made.lock = pieces.statement(
        "SELECT pg_catalog.pg_advisory_xact_lock",
        pieces.plan.ways.is_split || pieces.plan.options.is_exclusive ? "" : "_shared",
        "(pg_catalog.hashtextextended('vector_bulk_upsert', ", pieces.plan.target.oid, "))");
    made.count = pieces.statement("SELECT ", kCount, " FROM ", pieces.source);
    if (pieces.plan.source.is_copy)
        made.drop = pieces.statement("DROP TABLE ", pieces.plan.source.quoted);
    if (const Text all = conversions(pieces); !all.empty()) {
        made.every_row = pieces.statement(
            "SELECT pg_catalog.array_agg(s.tid), pg_catalog.array_agg(s.source_row) FROM (SELECT "
            "s.ctid AS tid, pg_catalog.row_number() OVER () AS source_row FROM ",
            pieces.source, " s) s");
        made.trial = pieces.statement("SELECT ", all, " FROM (SELECT ", pieces.columns, " FROM ",
                                      pieces.source, " s) s");
        made.some_trial =
            pieces.statement(pieces.chosen_rows("$1, $2"), " SELECT ", all, " FROM candidate s");
    }
    core::Array<BadRowQuery> before(pieces.arena);
    core::Array<BadRowQuery> after(pieces.arena);
    add_queries_before_order(pieces, before);
    add_queries_after_order(pieces, after);
    made.before_order = before.span();
    made.after_order = after.span();
    made.order = order(pieces);
    made.write = pieces.statement(pieces.chosen_rows("$1, $2", "MATERIALIZED "), write(pieces));
    made.reject = reject(pieces);
    if (const Text key = key_text_of_source(pieces.arena, pieces.plan); !key.empty())
        made.key_of_row = pieces.statement("SELECT ", key, " FROM ", pieces.source,
                                           " s WHERE s.ctid", kEquals, "$1");
    return made;
}

const char*
message_of_existing_key(core::Arena& arena, const Plan& plan) {
    return TextBuilder(arena).add(Pieces(arena, plan).message_of_existing_key()).c_str();
}

}  // namespace vext::bulk
