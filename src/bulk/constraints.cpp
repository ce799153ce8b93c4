// CHECK and foreign key constraints of the target, as the catalogue has them.

#include <algorithm>

#include "bulk/target.h"
#include "core/text_builder.h"
#include "pg/array.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

int
place_of(std::span<const Column> columns, int number) {
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].number == number)
            return static_cast<int>(i);
    return -1;
}

// A constraint on a whole row, on a system column or on none has no list of columns to go by.
void
read_check_columns(core::Arena& arena, NullableDatum stored, std::span<const Column> columns,
                   Check& check) {
    check.is_whole = stored.isnull;
    if (stored.isnull)
        return;
    ArrayType* numbers = DatumGetArrayTypeP(stored.value);
    const auto n_columns = static_cast<std::size_t>(ARR_DIMS(numbers)[0]);
    core::Array<int> places(arena, n_columns);
    for (const int16 number : pg::array_elements<int16>(numbers, n_columns)) {
        places.push_back(place_of(columns, number));
        check.is_whole |= places.back() < 0;
    }
    check.columns = places.span();
}

Check
read_check(core::Arena& arena, HeapTuple tuple, TupleDesc descriptor,
           const FormData_pg_constraint* form, std::span<const Column> columns) {
    Check check;
    check.name = pstrdup(NameStr(form->conname));
    NullableDatum stored = {};
    stored.value = heap_getattr(tuple, Anum_pg_constraint_conbin, descriptor, &stored.isnull);
    check.condition = pg::expression_text(TextDatumGetCString(stored.value), form->conrelid);
    stored.value = heap_getattr(tuple, Anum_pg_constraint_conkey, descriptor, &stored.isnull);
    read_check_columns(arena, stored, columns, check);
    return check;
}

bool
is_fired(const Trigger& trigger) {
    return trigger.tgenabled == TRIGGER_FIRES_ALWAYS ||
           trigger.tgenabled == (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA
                                     ? TRIGGER_FIRES_ON_REPLICA
                                     : TRIGGER_FIRES_ON_ORIGIN);
}

// Whether the server checks a foreign key, by a trigger that can be disabled. A partitioned table
// leaves that to its partitions.
bool
is_checked(Oid table, Oid constraint) {
    bool is_so = SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
    pg::with_relation(table, [&](Relation relation) {
        const TriggerDesc* all = relation != nullptr ? relation->trigdesc : nullptr;
        for (int i = 0; all != nullptr && i < all->numtriggers; ++i)
            if (const Trigger& trigger = all->triggers[i];
                trigger.tgconstraint == constraint && TRIGGER_FOR_INSERT(trigger.tgtype))
                is_so = is_fired(trigger);
    });
    return is_so;
}

// A probe sees what the server sees only if the user may look there, at all rows.
bool
can_be_probed(const FormData_pg_constraint* form) {
    return !form->condeferrable && form->confmatchtype == FKCONSTR_MATCH_SIMPLE &&
           !pg::has_period(form) && pg::may_do(form->confrelid, ACL_SELECT) &&
           pg::may_use_schema(get_rel_namespace(form->confrelid)) &&
           !pg::has_policies(form->confrelid);
}

ForeignKey
read_foreign_key(core::Arena& arena, HeapTuple tuple, const FormData_pg_constraint* form,
                 std::span<const Column> columns) {
    int n_columns = 0;
    AttrNumber own[INDEX_MAX_KEYS];
    AttrNumber other[INDEX_MAX_KEYS];
    Oid equals[INDEX_MAX_KEYS];
    DeconstructFkConstraintRow(tuple, &n_columns, own, other, equals, nullptr, nullptr, nullptr,
                               nullptr);
    core::Array<ForeignKeyColumn> pairs(arena, n_columns);
    for (int i = 0; i < n_columns; ++i)
        pairs.push_back({place_of(columns, own[i]),
                         quote_identifier(get_attname(form->confrelid, other[i], false)),
                         pg::qualified_operator(equals[i])});
    ForeignKey key;
    key.name = pstrdup(NameStr(form->conname));
    const bool is_partitioned = get_rel_relkind(form->confrelid) == RELKIND_PARTITIONED_TABLE;
    key.table =
        core::concat(arena, is_partitioned ? "" : "ONLY ", pg::qualified_relation(form->confrelid));
    key.columns = pairs.span();
    key.is_own = pg::is_part_of(form->conrelid, form->confrelid);
    key.can_be_probed = can_be_probed(form);
    return key;
}

}  // namespace

std::span<Check>
read_checks(core::Arena& arena, Oid target, std::span<const Column> columns) {
    core::Array<Check> checks(arena);
    pg::for_each_constraint(
        target, [&](HeapTuple tuple, TupleDesc descriptor, const FormData_pg_constraint* form) {
            if (form->contype == CONSTRAINT_CHECK)
                checks.push_back(read_check(arena, tuple, descriptor, form, columns));
        });
    return checks.span();
}

std::span<const ForeignKey>
read_foreign_keys(core::Arena& arena, Oid target, std::span<const Column> columns) {
    core::Array<ForeignKey> keys(arena);
    pg::for_each_constraint(
        target, [&](HeapTuple tuple, TupleDesc, const FormData_pg_constraint* form) {
            if (form->contype == CONSTRAINT_FOREIGN && !pg::is_for_partition_of_other(form) &&
                is_checked(target, form->oid))
                keys.push_back(read_foreign_key(arena, tuple, form, columns));
        });
    return keys.span();
}

}  // namespace vext::bulk
