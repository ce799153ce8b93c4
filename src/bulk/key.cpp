// Which unique index tells that a row exists: the primary key, the one that was asked for by its
// columns, or the only one.

#include <algorithm>

#include "bulk/target.h"
#include "core/text_builder.h"
#include "pg/memory.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

struct Found {
    Oid index = InvalidOid;  ///< the primary key, else the first one
    int n_indexes = 0;
    bool is_primary = false;
    bool allow_null = false;  ///< whether a column of any may be NULL
};

// What ON CONFLICT takes: whole, immediate unique indexes of plain columns.
bool
is_usable(Relation index) {
    const FormData_pg_index* form = index->rd_index;
    if (!form->indisunique || !form->indisvalid || !form->indimmediate || form->indisexclusion ||
        pg::has_predicate(index))
        return false;
    for (int i = 0; i < form->indnkeyatts; ++i)
        if (form->indkey.values[i] <= 0)
            return false;
    return true;
}

const FormData_pg_attribute&
key_attribute(Relation table, Relation index, int i) {
    return *TupleDescAttr(RelationGetDescr(table), index->rd_index->indkey.values[i] - 1);
}

// Whether the columns of the index are those named, in any order.
bool
has_columns(Relation table, Relation index, std::span<const Text> names) {
    const int n_columns = index->rd_index->indnkeyatts;
    for (int i = 0; i < n_columns; ++i)
        if (std::find(names.begin(), names.end(),
                      NameStr(key_attribute(table, index, i).attname)) == names.end())
            return false;
    return std::all_of(names.begin(), names.end(), [&](Text name) {
        for (int i = 0; i < n_columns; ++i)
            if (name == NameStr(key_attribute(table, index, i).attname))
                return true;
        return false;
    });
}

void
consider(Relation table, Relation index, const Request& request, Found& found) {
    if (!is_usable(index) || (request.has_key && !has_columns(table, index, request.key)))
        return;
    ++found.n_indexes;
    for (int i = 0; i < index->rd_index->indnkeyatts; ++i)
        found.allow_null |= !key_attribute(table, index, i).attnotnull;
    if (found.n_indexes == 1 || index->rd_index->indisprimary)
        found.index = RelationGetRelid(index);
    found.is_primary |= index->rd_index->indisprimary;
}

Found
find_indexes(const Request& request) {
    Found found;
    pg::with_relation(request.target, [&](Relation table) {
        if (table == nullptr)
            return;
        // In the order of their OIDs.
        List* indexes = RelationGetIndexList(table);
        ListCell* cell = nullptr;
        foreach (cell, indexes)
            pg::with_relation(lfirst_oid(cell), [&](Relation index) {
                if (index != nullptr)
                    consider(table, index, request, found);
            });
    });
    return found;
}

void
check_names(const Request& request) {
    const bool has_null = std::any_of(request.key.begin(), request.key.end(),
                                      [](Text name) { return name == "<NULL>"; });
    if (request.key.empty() || has_null)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("key must name columns"));
    for (const Text name : request.key)
        if (get_attnum(request.target, name.data()) <= 0)
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of relation \"%s\" does not exist", name.data(),
                           get_rel_name(request.target)));
}

[[noreturn]] void
raise_no_index_on(const Request& request) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    core::TextBuilder names(arena);
    core::Separator between(", ");
    for (const Text name : request.key)
        names.add(between.next(), quote_identifier(name.data()));
    const char* table = get_rel_name(request.target);
    ereport(ERROR, errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
            errmsg("there is no unique index on the key (%s) of \"%s\"", names.c_str(), table),
            errhint("CREATE UNIQUE INDEX ON %s (%s);", quote_identifier(table), names.c_str()));
    pg_unreachable();
}

[[noreturn]] void
raise_no_key(const Request& request, const Found& found) {
    const char* table = get_rel_name(request.target);
    if (found.n_indexes > 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
                errmsg("\"%s\" has no primary key and several unique indexes", table),
                errhint("Name the columns of the key."));
    ereport(ERROR, errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
            errmsg("\"%s\" has no primary key and no unique index", table),
            errhint("CREATE UNIQUE INDEX ON %s (...) on the columns of the key.",
                    quote_identifier(table)));
    pg_unreachable();
}

}  // namespace

Oid
choose_index(const Request& request) {
    if (request.has_key)
        check_names(request);
    const Found found = find_indexes(request);
    if (request.has_key) {
        if (found.n_indexes == 0)
            raise_no_index_on(request);
        return found.index;
    }
    const bool is_needed = request.options.is_key_needed;
    if (found.is_primary || (found.n_indexes == 1 && (is_needed || !found.allow_null)))
        return found.index;
    if (is_needed)
        raise_no_key(request, found);
    return InvalidOid;
}

}  // namespace vext::bulk
