// Columns and plans of upserts made by hand.

#pragma once

#include <string>
#include <vector>

#include "bulk/plan.h"
#include "test_arena.h"

namespace vext::test {

/// A column of both target and source; its number follows from its place.
inline bulk::Column
make_column(bulk::Text name, bulk::Text type, char category) {
    bulk::Column column;
    column.name = column.quoted = name;
    column.type = {1, -1, category, type, type, type};
    column.source_type = column.type;
    column.is_in_source = true;
    column.sum_schema = column.concat_schema = "pg_catalog";
    return column;
}

inline bulk::Column
make_integer(bulk::Text name) {
    return make_column(name, "pg_catalog.int4", 'N');
}

inline bulk::Column
make_text(bulk::Text name) {
    return make_column(name, "pg_catalog.text", 'S');
}

inline bulk::Column
make_vector(bulk::Text name, int n_dims) {
    bulk::Column column = make_column(name, "x.vector", 'U');
    column.is_vector = true;
    column.type.modifier = column.source_type.modifier = n_dims;
    return column;
}

inline bulk::Column
make_key(bulk::Column column, int place = 1) {
    column.key_place = place;
    column.key_equals = "OPERATOR(pg_catalog.=)";
    column.is_required = true;
    return column;
}

/// A plan over columns that it owns: s.items from pg_temp.stage.
struct Planned {
    std::vector<bulk::Column> columns;
    bulk::Options options;
    bulk::Plan plan;
    bulk::ColumnFault fault;

    explicit Planned(std::vector<bulk::Column> given) : columns(std::move(given)) {
        plan.target.oid = 42;
        plan.target.name = "items";
        plan.target.quoted = "s.items";
        plan.target.index_name = "items_pkey";
        plan.source.name = "stage";
        plan.source.quoted = "pg_temp.stage";
        plan.extension = "x.";
        plan.types = "y.";
        for (std::size_t i = 0; i < columns.size(); ++i)
            columns[i].number = static_cast<int>(i) + 1;
    }

    /// Decides. To be called once, when options and facts are complete.
    bulk::Plan&
    decide() {
        options.is_key_needed = options.on_conflict != bulk::OnConflict::kError;
        fault = bulk::plan_columns(options, columns);
        plan.options = options;
        plan.columns = columns;
        plan.ways = bulk::choose_ways(plan);
        return plan;
    }

    bulk::Plan&
    decide(bulk::OnConflict on_conflict) {
        options.on_conflict = on_conflict;
        return decide();
    }
};

}  // namespace vext::test
