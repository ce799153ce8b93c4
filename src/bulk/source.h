// The rows of the source, and what only a look at rows or values can tell of an upsert's columns.

#pragma once

#include "bulk/plan.h"
#include "bulk/request.h"

namespace vext::bulk {

/// The column of a stage that has the line of the file that COPY read a row from.
inline constexpr const char* kLineColumn = "vector_stage_line";

/// A table of this session that has the rows: the source itself if it is temporary, else a copy of
/// what it holds. Rows are found again by their place there, and are the same for every statement.
/// Requires: the search_path of the caller, by which views find things.
Oid take_rows(Oid source);

/// A relation name pg_temp.<prefix>_<n> that is not taken; only the name behind the dot.
const char* free_temporary_name(const char* prefix);
Oid temporary_relation(const char* name);

/// Looks which columns every row of the source leaves empty for the target to make their values,
/// and which required ones none does. Requires: with_own_path.
void look_for_empty_columns(const Options& options, Text rows, std::span<Column> columns);

/// Finds whether all rows meet the predicate of the key, as they do not give its columns. Requires:
/// with_own_path, plan_columns.
void look_at_key_predicate(core::Arena& arena, Plan& plan);

/// Finds the constraints that a row does not meet whose columns have their defaults. Requires:
/// with_own_path, plan_columns.
void look_at_defaults(core::Arena& arena, std::span<const Column> columns, std::span<Check> checks);

}  // namespace vext::bulk
