// The expressions and lists of an upsert's statements, as SQL.
//
// In every statement a row of the source is s, its columns c<number> and its number source_row; a
// column that is read as a vector is r<number> as it was given. The row of the target with the same
// key is t, what ON CONFLICT proposes is excluded.

#pragma once

#include "bulk/plan.h"
#include "core/text_builder.h"

namespace vext::bulk {

/// A text as a literal.
Text literal(core::Arena& arena, Text text);

/// The value of a column in a row of the source, in the type of the target.
Text value_of(core::Arena& arena, const Column& column);

/// What an INSERT gives the column. Requires: is_inserted(column).
Text inserted_value(core::Arena& arena, const Column& column);

/// What the column is in a new row, as far as that can be told before: given, or its default.
Text default_of(core::Arena& arena, const Column& column);

/// Where an update takes the new values from.
enum class Given { kExcluded, kStaged };

/// What an update sets the column to. Requires: the column has a rule.
Text updated_value(core::Arena& arena, const Column& column, Given given);

/// How a SELECT from the source reads all columns that it gives.
Text source_columns(core::Arena& arena, const Plan& plan);

Text inserted_names(core::Arena& arena, const Plan& plan);
Text inserted_values(core::Arena& arena, const Plan& plan);

/// The assignments of an update.
Text assignments(core::Arena& arena, const Plan& plan, Given given);

/// Whether an update changes the row, by the images of the columns that it merges: `now` alone is
/// no change. Empty if no column is merged.
Text change_condition(core::Arena& arena, const Plan& plan, Given given);

// Of the key, in its order; empty without one.

/// The columns of the key by name, its expressions as they are.
Text key_names(core::Arena& arena, const Plan& plan);
/// The key as ON CONFLICT infers its index: the list, and the predicate.
Text conflict_target(core::Arena& arena, const Plan& plan);
/// Its values in a row of the source, with the collations of its index.
Text key_values(core::Arena& arena, const Plan& plan);
/// The same to tell rows of the source apart: those that have no key differ from all others.
Text key_groups(core::Arena& arena, const Plan& plan);
/// An expression of the key in a row of the source.
Text key_expression_of_source(core::Arena& arena, const Plan& plan, const KeyExpression& key);
/// That an expression holds in a row as it would be inserted.
Text in_new_row(core::Arena& arena, const Plan& plan, const Expression& expression);
/// That a LEFT JOIN has found no row of the target.
Text is_without_match(core::Arena& arena, const Plan& plan);
/// The key as one text: from a row that was read, or from the table of the source itself.
Text key_text(core::Arena& arena, const Plan& plan);
Text key_text_of_source(core::Arena& arena, const Plan& plan);
/// That the row of the target has the key of the row of the source.
Text key_matches(core::Arena& arena, const Plan& plan);
/// The same of a written row w, and what the statement that wrote it returns for that.
Text written_key_matches(core::Arena& arena, const Plan& plan);
Text written_key(core::Arena& arena, const Plan& plan);

}  // namespace vext::bulk
