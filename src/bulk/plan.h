// The plan of an upsert: what is written how.
//
// A plan is made from facts (what the catalogue says of the target, what the source has) and
// options (what the caller asks for). Nothing here needs a server: unit tests make facts by hand.
//
// Texts that go into statements are ready for that: names are quoted, types and operators
// qualified. Memory: the texts and spans of a plan are those of its maker, for one call.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vext::bulk {

using Text = std::string_view;

// --- options ---

enum class OnConflict { kError, kSkip, kUpdate };
enum class Duplicates { kError, kFirst, kLast };
enum class Rule { kNone, kReplace, kKeep, kSum, kMax, kMin, kCoalesce, kConcat, kNow };

struct MergeRule {
    Text column;
    Rule rule;
};

struct Options {
    OnConflict on_conflict = OnConflict::kError;
    Duplicates duplicates = Duplicates::kError;
    bool is_key_needed = false;  ///< rows are compared by a key, or the caller has named one
    bool has_rejects = false;
    bool is_exclusive = false;  ///< other loads into the target wait for the end of the transaction
    bool has_update_columns = false;
    std::span<const Text> update_columns;
    std::span<const MergeRule> merge;
};

// --- facts ---

/// A type; of a domain, what it is made of.
struct Type {
    std::uint32_t oid = 0;
    std::int32_t modifier = -1;
    char category = 'U';
    Text name;       ///< without modifier
    Text full_name;  ///< with modifier
    Text shown;      ///< with modifier, in the words of the server's messages
};

/// A column of the target, the column of the source that has its name, and what becomes of it.
struct Column {
    int number = 0;  ///< in the target; the column is c<number> in a row of the source
    Text name;
    Text quoted;
    Type type;
    Text collation;      ///< " COLLATE ...", or empty
    Text sum_schema;     ///< the schema of the operator + of the type
    Text concat_schema;  ///< the schema of the operator || of the type
    Text default_value;  ///< an expression, or empty
    bool is_vector = false;
    Text try_parse = "vector_try_parse";  ///< the extension's function of a text, for a vector
    int n_characters = 0;      ///< at most, as varchar(n) and char(n) have them; 0: no such limit
    bool is_required = false;  ///< NOT NULL
    bool is_domain = false;
    bool is_generated = false;
    bool is_identity = false;
    bool is_always_identity = false;
    bool has_default = false;  ///< of its own, of its domain, or as an identity column
    bool is_default_constant = false;
    bool may_select = true;

    int key_place = 0;  ///< in the key, from 1; 0: not part of it, or of an expression there
    bool is_in_key_expression = false;
    bool is_key_null_equal = false;  ///< in the key, NULL counts as a value
    Text key_equals;                 ///< the operator by which the index of the key compares
    Text key_collation;

    bool is_in_source = false;
    Type source_type;
    bool is_left_empty = false;  ///< by every row of the source, for the target to make its values
    bool is_never_null = false;  ///< in the source, so that a merge with old values has no NULL

    // Decided by plan_columns.
    bool is_supplied = false;     ///< the source gives its value
    bool is_judged_late = false;  ///< whether it fits the type's modifier shows when it is written
    bool is_parsed = false;       ///< a text of the source is read as a vector
    bool sets_now = false;
    int n_dims = 0;           ///< that a vector must have; 0: any
    Text cast;                ///< the type to which the value of the source is cast, or empty
    Rule rule = Rule::kNone;  ///< how an update sets it; kNone: not
};

/// What an index looks at beside single columns, as SQL.
struct Expression {
    Text of_target;                ///< over a row t of the target
    Text of_row;                   ///< over a row r that has its columns
    Text plain;                    ///< over columns without a prefix
    std::span<const int> columns;  ///< places in the list of columns
};

struct KeyExpression {
    int place = 0;  ///< in the key, from 1
    Expression value;
    Text equals;
    Text collation;
};

/// The predicate of the index of the key: rows that do not meet it have no key.
struct KeyPredicate {
    bool is_there = false;
    bool is_met_by_source = false;  ///< by every row, as those columns are never given
    Expression condition;
};

struct Target {
    std::uint32_t oid = 0;
    Text name;
    Text quoted;  ///< with its schema
    bool is_partitioned = false;
    bool has_insert_triggers = false;  ///< BEFORE ROW: they see a row before it is checked
    bool has_update_triggers = false;  ///< BEFORE ROW: they can suppress an update
    bool is_unpredictable = false;     ///< what the server says of a row cannot be known before
    bool may_read_xmax = true;
    bool has_key = false;
    Text index_name;  ///< of the unique index whose columns are the key
    std::span<const KeyExpression> key_expressions;
    KeyPredicate key_predicate;
    bool are_key_nulls_equal = false;
};

/// A CHECK constraint. It is `is_whole` when it looks at more than columns.
struct Check {
    Text name;
    Text condition;
    std::span<const int> columns;  ///< places in the list of columns
    bool is_whole = false;
    bool is_refusing_defaults = false;  ///< columns that are not given do not meet it
};

struct ForeignKeyColumn {
    int column;  ///< its place in the list of columns
    Text other;  ///< the column referred to
    Text equals;
};

struct ForeignKey {
    Text name;
    Text table;  ///< referred to
    std::span<const ForeignKeyColumn> columns;
    bool is_own = false;         ///< it refers to the target, or what that is a part of
    bool can_be_probed = false;  ///< a query of the caller sees what the server would see
};

struct Source {
    Text name;    ///< as the caller has named it
    Text quoted;  ///< the temporary table with the rows
    bool is_copy = false;
    Text line;  ///< the column with the line of the file that a row is of, or empty
};

/// A table for bad rows. Those made by older versions lack columns.
struct RejectTable {
    Text quoted;  ///< with its schema
    bool has_source = false;
    bool has_line = false;
};

// --- the plan ---

struct Ways {
    bool is_split = false;    ///< existing rows are updated apart from the inserts
    bool is_slow = false;     ///< bad rows are found by writing
    bool is_guarded = false;  ///< a row whose key has come to exist meanwhile is no error
    bool is_counted = false;  ///< unchanged rows are counted, as others may be left as well
};

struct Plan {
    Options options;
    Target target;
    Source source;
    std::span<const Column> columns;
    std::span<const Check> checks;
    std::span<const ForeignKey> foreign_keys;
    RejectTable rejects;
    Text extension;  ///< the schema of the extension, with a dot
    Text types;      ///< likewise that of the types, where they are an extension of their own
    Ways ways;
};

/// What is wrong with a request for certain columns.
enum class Fault { kNone, kUnknown, kMissing, kKey, kGenerated, kNothing };

struct ColumnFault {
    Fault fault = Fault::kNone;
    Text column;
};

/// Decides what becomes of each column; returns the first fault.
ColumnFault plan_columns(const Options& options, std::span<Column> columns);

/// Whether it matters that a required column is never NULL in the source: where it is merged with
/// old values, NULL is no fault of a row.
bool may_lack_values(const Options& options, const Column& column);

/// Decides how rows are written. Requires: all else of the plan.
Ways choose_ways(const Plan& plan);

/// Where a constraint is judged.
enum class Judged {
    kBefore,   ///< all its columns are written as given: before writing
    kNowhere,  ///< none of its columns is given, and defaults meet it
    kByServer
};

Judged where_judged(const Plan& plan, const Check& check);
Judged where_judged(const Plan& plan, const ForeignKey& key);

/// For which rows NULL in a column is a fault that is found before writing.
enum class NullFault { kNever, kAlways, kInNewRows };

NullFault null_fault(const Plan& plan, const Column& column);

/// Whether an INSERT gives the column a value, rather than leave it to the table.
bool is_inserted(const Column& column);

/// Whether the user may compare the key; true without one.
bool may_read_key(std::span<const Column> columns);

/// Whether rows are compared by a key.
bool has_key(const Plan& plan);

}  // namespace vext::bulk
