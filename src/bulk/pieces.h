// Texts that the statements of one plan have in common.

#pragma once

#include "bulk/expressions.h"

namespace vext::bulk {

constexpr Text kEquals = " OPERATOR(pg_catalog.=) ";
constexpr Text kUnequal = " OPERATOR(pg_catalog.<>) ";
constexpr Text kLess = " OPERATOR(pg_catalog.<) ";
constexpr Text kGreater = " OPERATOR(pg_catalog.>) ";
constexpr Text kPlus = " OPERATOR(pg_catalog.+) ";
constexpr Text kAppend = " OPERATOR(pg_catalog.||) ";
constexpr Text kCount = "pg_catalog.count(*)";

struct Pieces {
    core::Arena& arena;
    const Plan& plan;
    Text columns;   ///< as the source is read
    Text source;    ///< the table with its rows
    Text existing;  ///< the target as t
    Text match;     ///< that s and t have one key; empty without one

    Pieces(core::Arena& given_arena, const Plan& given_plan)
        : arena(given_arena),
          plan(given_plan),
          columns(source_columns(arena, plan)),
          source(core::concat(arena, "ONLY ", plan.source.quoted)),
          existing(core::concat(arena, plan.target.is_partitioned ? "" : "ONLY ",
                                plan.target.quoted, " t")),
          match(key_matches(arena, plan)) {}

    /// A statement has the form of a C string.
    template <typename... Parts>
    const char*
    statement(const Parts&... parts) const {
        return core::TextBuilder(arena).add(parts...).c_str();
    }

    /// All rows of the source as `candidate`, but for those known as bad: they are left out before
    /// anything is made of their values.
    Text
    all_rows() const {
        return core::concat(arena,
                            "WITH candidate AS (SELECT s.* FROM (SELECT s.ctid AS tid, "
                            "pg_catalog.row_number() OVER () AS source_row, ",
                            columns, " FROM ", source, " s) s WHERE s.source_row", kLess,
                            "$2 AND s.tid", kUnequal, "ALL ($1) OFFSET 0)");
    }

    /// Chosen rows, given by two arrays, as `candidate`.
    Text
    chosen_rows(Text arrays, Text materialized = "") const {
        return core::concat(arena, "WITH candidate AS ", materialized,
                            "(SELECT k.source_row, k.place, s.ctid AS tid, ", columns,
                            " FROM unnest(", arrays,
                            ") WITH ORDINALITY k(tid, source_row, place) JOIN ", source,
                            " s ON s.ctid", kEquals, "k.tid)");
    }

    /// That the target has no row with the key.
    Text
    is_absent() const {
        return core::concat(arena, "NOT EXISTS (SELECT FROM ", existing, " WHERE ", match, ")");
    }

    Text
    message_of_existing_key() const {
        return core::concat(arena, "duplicate key value violates unique constraint \"",
                            plan.target.index_name, "\"");
    }
};

}  // namespace vext::bulk
