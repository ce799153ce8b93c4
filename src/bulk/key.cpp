// Which unique index tells that a row exists: the primary key, the one that was asked for by its
// columns, the natural key beside a primary key that the source leaves to its default, or the only
// one.

#include <algorithm>

#include "bulk/target.h"
#include "core/text_builder.h"
#include "pg/memory.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

struct UniqueIndex {
    Oid oid;
    Text name;
    std::span<const Text> columns;  ///< with those of its expressions
    bool is_primary;
    bool is_plain;         ///< of columns alone, and for all rows
    bool allows_null;      ///< in one of its columns
    const char* obstacle;  ///< why rows cannot be recognized by it; null if they can
};

const char*
obstacle_of(const FormData_pg_index* form) {
    if (!form->indimmediate)
        return "deferrable";
    return form->indisvalid ? nullptr : "not valid";
}

void
add_name(core::Array<Text>& names, Text name) {
    if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
}

UniqueIndex
describe(core::Arena& arena, Relation table, Relation index) {
    const FormData_pg_index* form = index->rd_index;
    UniqueIndex found = {};
    found.oid = RelationGetRelid(index);
    found.name = pstrdup(RelationGetRelationName(index));
    found.is_primary = form->indisprimary;
    found.is_plain = !pg::has_expressions(index) && !pg::has_predicate(index);
    found.obstacle = obstacle_of(form);
    core::Array<Text> names(arena);
    auto add_column = [&](AttrNumber number) {
        if (number <= 0)
            return;
        const FormData_pg_attribute& column = *TupleDescAttr(RelationGetDescr(table), number - 1);
        found.allows_null |= !column.attnotnull;
        add_name(names, pstrdup(NameStr(column.attname)));
    };
    for (int i = 0; i < form->indnkeyatts; ++i)
        add_column(form->indkey.values[i]);
    ListCell* cell = nullptr;
    foreach (cell, RelationGetIndexExpressions(index))
        pg::for_each_column_of(static_cast<Node*>(lfirst(cell)), add_column);
    found.columns = names.span();
    return found;
}

// In the order of their OIDs.
std::span<const UniqueIndex>
find_indexes(core::Arena& arena, Oid target) {
    core::Array<UniqueIndex> found(arena);
    pg::with_relation(target, [&](Relation table) {
        if (table == nullptr)
            return;
        List* indexes = RelationGetIndexList(table);
        ListCell* cell = nullptr;
        foreach (cell, indexes)
            pg::with_relation(lfirst_oid(cell), [&](Relation index) {
                if (index != nullptr && index->rd_index->indisunique &&
                    !index->rd_index->indisexclusion)
                    found.push_back(describe(arena, table, index));
            });
    });
    return found.span();
}

template <typename Is>
std::span<const UniqueIndex>
filter(core::Arena& arena, std::span<const UniqueIndex> all, const Is& is) {
    core::Array<UniqueIndex> some(arena);
    for (const UniqueIndex& one : all)
        if (is(one))
            some.push_back(one);
    return some.span();
}

// In any order.
bool
has_columns(const UniqueIndex& index, std::span<const Text> names) {
    auto is_in = [](Text name, std::span<const Text> list) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    return std::all_of(index.columns.begin(), index.columns.end(),
                       [&](Text name) { return is_in(name, names); }) &&
           std::all_of(names.begin(), names.end(),
                       [&](Text name) { return is_in(name, index.columns); });
}

bool
is_usable(const UniqueIndex& index) {
    return index.obstacle == nullptr;
}

bool
has_in_source(const Request& request, const UniqueIndex& index) {
    return std::all_of(index.columns.begin(), index.columns.end(),
                       [&](Text name) { return get_attnum(request.source, name.data()) > 0; });
}

// Whether the table makes the value of a column that the source does not have.
bool
is_left_to_default(const Request& request, const UniqueIndex& index) {
    bool is_left = false;
    pg::with_relation(request.target, [&](Relation table) {
        for (const Text name : index.columns) {
            const AttrNumber number = get_attnum(request.target, name.data());
            const FormData_pg_attribute& column =
                *TupleDescAttr(RelationGetDescr(table), number - 1);
            is_left |= get_attnum(request.source, name.data()) <= 0 &&
                       (column.atthasdef || column.attidentity != '\0');
        }
    });
    return is_left;
}

void
check_names(const Request& request) {
    if (request.key.empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("key must name columns"));
    for (const Text name : request.key)
        if (get_attnum(request.target, name.data()) <= 0)
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of relation \"%s\" does not exist", name.data(),
                           get_rel_name(request.target)));
}

const char*
list_of(std::span<const Text> names, Text separator) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    core::TextBuilder list(arena);
    core::Separator between(separator);
    for (const Text name : names)
        list.add(between.next(), quote_identifier(name.data()));
    return list.c_str();
}

// Each with its columns, as a list.
const char*
list_of(std::span<const UniqueIndex> indexes) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    core::TextBuilder list(arena);
    core::Separator between(", ");
    for (const UniqueIndex& index : indexes)
        list.add(between.next(), quote_identifier(index.name.data()), " (",
                 list_of(index.columns, ", "), ")");
    return list.c_str();
}

[[noreturn]] void
raise_obstacle(const UniqueIndex& index) {
    ereport(ERROR, errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
            errmsg("unique index \"%s\" on the key (%s) is %s", index.name.data(),
                   list_of(index.columns, ", "), index.obstacle),
            errdetail("Rows that exist can be recognized only by a unique index that is valid and "
                      "not deferrable."));
    pg_unreachable();
}

[[noreturn]] void
raise_no_index_on(const Request& request) {
    const char* names = list_of(request.key, ", ");
    const char* table = get_rel_name(request.target);
    ereport(ERROR, errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
            errmsg("there is no unique index on the key (%s) of \"%s\"", names, table),
            errhint("CREATE UNIQUE INDEX ON %s (%s);", quote_identifier(table), names));
    pg_unreachable();
}

[[noreturn]] void
raise_several(const char* message, std::span<const UniqueIndex> indexes, bool can_be_named) {
    ereport(ERROR, errcode(ERRCODE_INVALID_COLUMN_REFERENCE), errmsg_internal("%s", message),
            errdetail("There are %s.", list_of(indexes)),
            can_be_named ? errhint("Name the columns of one of them, as in key => '{%s}'.",
                                   list_of(indexes[0].columns, ","))
                         : 0);
    pg_unreachable();
}

[[noreturn]] void
raise_none(const Request& request) {
    const char* table = get_rel_name(request.target);
    ereport(ERROR, errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
            errmsg("\"%s\" has no primary key and no unique index", table),
            errhint("CREATE UNIQUE INDEX ON %s (...) on the columns of the key.",
                    quote_identifier(table)));
    pg_unreachable();
}

// One index for all rows and of columns alone goes before the others.
Oid
choose_named(core::Arena& arena, const Request& request, std::span<const UniqueIndex> all) {
    const auto named = filter(
        arena, all, [&](const UniqueIndex& index) { return has_columns(index, request.key); });
    if (named.empty())
        raise_no_index_on(request);
    const auto usable = filter(arena, named, is_usable);
    if (usable.empty())
        raise_obstacle(named[0]);
    for (const UniqueIndex& index : usable)
        if (index.is_primary || index.is_plain)
            return index.oid;
    if (usable.size() > 1)
        raise_several(
            psprintf("\"%s\" has several unique indexes on the key (%s), for some rows each",
                     get_rel_name(request.target), list_of(request.key, ", ")),
            usable, false);
    return usable[0].oid;
}

Oid
choose_needed(core::Arena& arena, const Request& request, std::span<const UniqueIndex> all) {
    const auto usable = filter(arena, all, is_usable);
    const auto primary =
        filter(arena, usable, [](const UniqueIndex& index) { return index.is_primary; });
    if (!primary.empty() && is_left_to_default(request, primary[0])) {
        const auto natural = filter(arena, usable, [&](const UniqueIndex& index) {
            return !index.is_primary && has_in_source(request, index);
        });
        if (natural.size() == 1)
            return natural[0].oid;
        if (natural.size() > 1)
            raise_several(
                psprintf("\"%s\" has several unique indexes, and a primary key that \"%s\" lacks",
                         get_rel_name(request.target), get_rel_name(request.source)),
                natural, true);
    }
    if (!primary.empty())
        return primary[0].oid;
    if (usable.size() > 1)
        raise_several(psprintf("\"%s\" has no primary key and several unique indexes",
                               get_rel_name(request.target)),
                      usable, true);
    if (usable.empty() && !all.empty())
        raise_obstacle(all[0]);
    if (usable.empty())
        raise_none(request);
    return usable[0].oid;
}

// For messages only.
Oid
choose_unneeded(core::Arena& arena, std::span<const UniqueIndex> all) {
    const auto plain = filter(
        arena, all, [](const UniqueIndex& index) { return is_usable(index) && index.is_plain; });
    for (const UniqueIndex& index : plain)
        if (index.is_primary)
            return index.oid;
    return plain.size() == 1 && !plain[0].allows_null ? plain[0].oid : InvalidOid;
}

}  // namespace

Oid
choose_index(const Request& request) {
    if (request.has_key)
        check_names(request);
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    const std::span<const UniqueIndex> all = find_indexes(arena, request.target);
    if (request.has_key)
        return choose_named(arena, request, all);
    return request.options.is_key_needed ? choose_needed(arena, request, all)
                                         : choose_unneeded(arena, all);
}

}  // namespace vext::bulk
