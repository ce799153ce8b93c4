#include "bulk/rejects.h"

#include <algorithm>
#include <limits>

#include "pg/memory.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

struct NeededColumn {
    const char* name;
    Oid type;
};

constexpr NeededColumn kNeeded[] = {{"source_row", INT8OID},
                                    {"key", TEXTOID},
                                    {"sqlstate", TEXTOID},
                                    {"message", TEXTOID},
                                    {"raw", TEXTOID}};
constexpr const char* kHint = "vector_rejects_table() makes a table with the columns needed.";

Datum
text_array(std::span<const BadRow> rows, const char* (*text_of)(const BadRow&)) {
    const auto n = static_cast<int>(rows.size());
    auto* texts = static_cast<Datum*>(palloc_extended(n * sizeof(Datum), MCXT_ALLOC_HUGE));
    for (int i = 0; i < n; ++i)
        texts[i] = CStringGetTextDatum(text_of(rows[i]));
    return PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
}

}  // namespace

void
check_rejects_table(Oid table) {
    for (const NeededColumn& needed : kNeeded)
        if (get_attnum(table, needed.name) <= 0)
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of relation \"%s\" does not exist", needed.name,
                           get_rel_name(table)),
                    errhint("%s", kHint));
    for (const NeededColumn& needed : kNeeded)
        if (get_atttype(table, get_attnum(table, needed.name)) != needed.type)
            ereport(ERROR, errcode(ERRCODE_INVALID_TABLE_DEFINITION),
                    errmsg("column \"%s\" of relation \"%s\" is not of type %s", needed.name,
                           get_rel_name(table), format_type_be(needed.type)),
                    errhint("%s", kHint));
}

RejectTable
describe_rejects_table(Oid table) {
    auto has = [&](const char* name, Oid type) {
        const AttrNumber number = get_attnum(table, name);
        return number > 0 && get_atttype(table, number) == type;
    };
    return {pg::qualified_relation(table), has("source", TEXTOID), has("line", INT8OID)};
}

pg::Parameter
Rejects::limit() const {
    if (!is_wanted())
        return {INT8OID, Int64GetDatum(1)};
    const int64 n_left =
        std::min<int64>(most_ - n_rejected_, std::numeric_limits<int64>::max() - 1);
    return {INT8OID, Int64GetDatum(n_left + 1), most_ < 0};
}

void
Rejects::write(std::span<const BadRow> rows) {
    if (is_exceeded_by(rows.size())) {
        const BadRow& last = rows[most_ - n_rejected_];
        ereport(ERROR, errcode(last.state), errmsg_internal("%s", last.message),
                errdetail("Row %lld of \"%s\" is one more than the %lld that may be rejected.",
                          static_cast<long long>(last.number), plan_.source.name.data(),
                          static_cast<long long>(most_)));
    }
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    const std::span<RowPlace> places = arena.allocate<RowPlace>(rows.size());
    const std::span<int64> numbers = arena.allocate<int64>(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        places[i] = rows[i].place;
        numbers[i] = rows[i].number;
    }
    const pg::Parameter parameters[] = {
        places_parameter(places),
        numbers_parameter(numbers),
        {TEXTARRAYOID,
         text_array(rows,
                    [](const BadRow& row) -> const char* { return unpack_sql_state(row.state); })},
        {TEXTARRAYOID, text_array(rows, [](const BadRow& row) { return row.message; })},
    };
    pg::execute(statements_.reject, parameters);
    n_rejected_ += static_cast<int64>(rows.size());
}

void
Rejects::raise_first(const BadRow& row) const {
    const char* key = "";
    if (statements_.key_of_row != nullptr) {
        RowPlace place = row.place;
        const pg::Parameter parameters[] = {{TIDOID, PointerGetDatum(&place)}};
        if (pg::execute(statements_.key_of_row, parameters) == 1)
            key = pg::result_text(0, 1);
    }
    const bool has_key = key != nullptr && *key != '\0';
    ereport(ERROR, errcode(row.state), errmsg_internal("%s", row.message),
            errdetail("Row %lld of \"%s\"%s%s%s; %lld rows before it were good.",
                      static_cast<long long>(row.number), plan_.source.name.data(),
                      has_key ? " with the key (" : "", has_key ? key : "", has_key ? ")" : "",
                      static_cast<long long>(row.number - 1)));
    pg_unreachable();
}

}  // namespace vext::bulk
