// What the catalogue says of the tables of an upsert.
//
// Texts are in the current memory context. Requires: with_own_path, under which the server shows
// expressions with all other names qualified.

#pragma once

#include "bulk/plan.h"
#include "bulk/request.h"
#include "core/array.h"
#include "pg/statement.h"

namespace vext::bulk {

/// Runs `body` under the search_path by which expressions of the catalogue are shown and tried.
template <typename Body>
void
with_own_path(const Body& body) {
    pg::with_setting("search_path", "pg_catalog, pg_temp", body);
}

/// The unique index by which rows of the target are recognized; InvalidOid if there is none and
/// none is needed. Raises why there is none.
Oid choose_index(const Request& request);

Target read_target(const Request& request, Oid index);

/// The columns of the target, in their order.
core::Array<Column> read_columns(core::Arena& arena, const Request& request);

/// Adds how columns, and expressions over them, stand in the index by which rows are recognized.
void add_key(core::Arena& arena, Oid index, std::span<Column> columns, Target& target);

/// Adds what a table with the rows of the source has for them. Raises if it has a column that the
/// target lacks; `name` is that of the source for the caller.
void add_source(const Request& request, Oid rows, const char* name, std::span<Column> columns);

/// Whether the rows have the lines they were read from (source.h, kLineColumn).
bool has_lines(Oid rows);

std::span<Check> read_checks(core::Arena& arena, Oid target, std::span<const Column> columns);

/// None where the session does not look at them.
std::span<const ForeignKey> read_foreign_keys(core::Arena& arena, Oid target,
                                              std::span<const Column> columns);

}  // namespace vext::bulk
