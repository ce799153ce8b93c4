// Which column of the table gets which field of an input, and in which form it is sent.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "input/input.h"
#include "server/connection.h"
#include "server/table.h"

namespace vext::client {

enum class ColumnType : std::uint8_t {
    kVector,
    kHalfvec,
    kSparsevec,
    kBit,
    kInt2,
    kInt4,
    kInt8,
    kFloat4,
    kFloat8,
    kBool,
    kText,
    kJson,
    kJsonb,
    kUuid,
    kOther,  ///< read by the server from its text form
};

struct PlannedColumn {
    std::string name;
    std::string type;  ///< as SQL writes it
    ColumnType kind = ColumnType::kOther;
    std::size_t n_dims = 0;    ///< of vectors; 0: any
    bool is_required = false;  ///< NULL is not allowed
};

/// Where a column's values come from.
struct FieldSource {
    std::size_t field = 0;    ///< of the input's columns
    bool is_counter = false;  ///< instead: the first id plus the number of rows before this one
};

struct Plan {
    Table table;
    std::vector<PlannedColumn> columns;             ///< in the order of COPY
    std::vector<std::vector<FieldSource>> sources;  ///< by input, by column
    std::size_t vector_column = 0;                  ///< of columns
    std::int64_t id_start = 0;
    /// COPY in text form: some column's type has no binary form that we know.
    bool is_text = false;
    /// Not empty: the statements that create the table.
    std::string create;

    const PlannedColumn&
    vector() const {
        return columns[vector_column];
    }
    /// "id, embedding", quoted
    std::string column_list(const Connection& connection) const;
};

struct PlanOptions {
    std::string table;
    std::string column;             ///< of vectors; empty: the only one, "embedding" with is_create
    std::string id_column;          ///< empty: "id"
    std::vector<std::string> maps;  ///< "source=target"; "source=" leaves a field out
    std::string type = "vector";
    bool is_create = false;             ///< the table must not exist
    bool is_create_if_missing = false;  ///< it may
    bool has_ids = false;               ///< --ids was given
    std::optional<std::int64_t> id_start;
    std::optional<std::int64_t> n_dims;
};

/// Asks the server about the table, or designs one. UsageError where inputs and table do not fit.
Plan make_plan(Connection& connection, std::vector<std::unique_ptr<Input>>& inputs,
               const PlanOptions& options);

}  // namespace vext::client
