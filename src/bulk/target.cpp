#include "bulk/target.h"

#include <algorithm>

#include "bulk/source.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

// Of a domain, what it is made of.
Type
read_type(Oid oid, int32 modifier) {
    Type type;
    type.modifier = modifier;
    type.oid = getBaseTypeAndTypmod(oid, &type.modifier);
    bool is_preferred = false;
    get_type_category_preferred(type.oid, &type.category, &is_preferred);
    type.name = pg::qualified_type(type.oid);
    type.full_name =
        type.modifier == -1 ? type.name : pg::type_with_modifier(type.oid, type.modifier);
    type.shown = format_type_with_typemod(type.oid, type.modifier);
    return type;
}

Column
read_column(Relation table, const FormData_pg_attribute& attribute,
            const VectorTypes& vector_types) {
    Column column;
    column.number = attribute.attnum;
    column.name = pstrdup(NameStr(attribute.attname));
    column.quoted = quote_identifier(column.name.data());
    column.type = read_type(attribute.atttypid, attribute.atttypmod);
    column.collation = pg::collate_clause(attribute.attcollation);
    column.sum_schema = pg::schema_of_operator("+", column.type.oid);
    column.concat_schema = pg::schema_of_operator("||", column.type.oid);
    column.is_vector = vector_types.has(column.type.oid);
    if (column.type.oid == vector_types.halfvec)
        column.try_parse = "halfvec_try_parse";
    if (column.type.modifier > VARHDRSZ &&
        (column.type.oid == VARCHAROID || column.type.oid == BPCHAROID))
        column.n_characters = column.type.modifier - VARHDRSZ;
    column.is_required = attribute.attnotnull;
    column.is_domain = get_typtype(attribute.atttypid) == TYPTYPE_DOMAIN;
    column.is_generated = attribute.attgenerated != '\0';
    column.is_identity = attribute.attidentity != '\0';
    column.is_always_identity = attribute.attidentity == ATTRIBUTE_IDENTITY_ALWAYS;
    column.has_default = attribute.atthasdef || column.is_identity ||
                         pg::stored_default_of_type(attribute.atttypid) != nullptr;
    if (const char* stored = pg::stored_default(table, attribute.attnum)) {
        column.default_value = pg::expression_text(stored, RelationGetRelid(table));
        column.is_default_constant = pg::is_constant(stored);
    }
    column.may_select = pg::may_do_in_column(RelationGetRelid(table), attribute.attnum, ACL_SELECT);
    return column;
}

int
place_of(std::span<const Column> columns, int number) {
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].number == number)
            return static_cast<int>(i);
    return -1;
}

Expression
read_expression(core::Arena& arena, Node* node, Oid table, std::span<const Column> columns) {
    core::Array<int> places(arena);
    pg::for_each_column_of(node, [&](AttrNumber number) {
        const int place = place_of(columns, number);
        if (place < 0 || columns[place].is_generated)
            ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("the unique index of the key looks at whole rows or generated columns"));
        places.push_back(place);
    });
    return {pg::index_expression_text(node, table, "t"),
            pg::index_expression_text(node, table, "r"),
            pg::index_expression_text(node, table, nullptr), places.span()};
}

const char*
equality_of(Relation index, int i) {
    return pg::qualified_operator(get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i],
                                                      index->rd_opcintype[i],
                                                      BTEqualStrategyNumber));
}

void
add_triggers(Relation relation, Target& target) {
    constexpr int kBeforeRow = TRIGGER_TYPE_ROW | TRIGGER_TYPE_BEFORE;
    auto has = [](const Trigger& trigger, int bits) { return (trigger.tgtype & bits) == bits; };
    const TriggerDesc* all = relation->trigdesc;
    for (int i = 0; all != nullptr && i < all->numtriggers; ++i) {
        const Trigger& trigger = all->triggers[i];
        if (trigger.tgisinternal || trigger.tgenabled == TRIGGER_DISABLED ||
            !has(trigger, TRIGGER_TYPE_ROW))
            continue;
        target.is_unpredictable = true;
        target.has_insert_triggers |= has(trigger, kBeforeRow | TRIGGER_TYPE_INSERT);
        target.has_update_triggers |= has(trigger, kBeforeRow | TRIGGER_TYPE_UPDATE);
    }
}

// Whether a row may be refused by an index other than that of the key, or one of its partitions.
bool
has_other_strict_index(Relation table, Oid index) {
    bool is_found = false;
    List* indexes = RelationGetIndexList(table);
    ListCell* cell = nullptr;
    foreach (cell, indexes) {
        const Oid other = lfirst_oid(cell);
        if (other == index || get_rel_relispartition(other))
            continue;
        pg::with_relation(other, [&](Relation relation) {
            is_found |= relation != nullptr &&
                        (relation->rd_index->indisunique || relation->rd_index->indisexclusion ||
                         pg::has_expressions(relation) || pg::has_predicate(relation));
        });
    }
    return is_found;
}

// Adds what a table, or a partition of it, does to rows.
void
add_behaviour(Oid oid, Oid index, Target& target) {
    pg::with_relation(oid, [&](Relation relation) {
        if (relation == nullptr)
            return;
        add_triggers(relation, target);
        target.is_unpredictable |= has_other_strict_index(relation, index);
    });
}

bool
is_line_column(const FormData_pg_attribute& attribute) {
    return attribute.attgenerated != '\0' && attribute.atttypid == INT8OID &&
           Text(NameStr(attribute.attname)) == kLineColumn;
}

}  // namespace

bool
has_lines(Oid rows) {
    bool is_so = false;
    pg::with_relation(rows, [&](Relation table) {
        const TupleDesc descriptor = RelationGetDescr(table);
        for (int i = 0; i < descriptor->natts; ++i)
            is_so |= !TupleDescAttr(descriptor, i)->attisdropped &&
                     is_line_column(*TupleDescAttr(descriptor, i));
    });
    return is_so;
}

Target
read_target(const Request& request, Oid index) {
    Target target;
    target.oid = request.target;
    target.name = get_rel_name(request.target);
    target.quoted = pg::qualified_relation(request.target);
    target.is_partitioned = get_rel_relkind(request.target) == RELKIND_PARTITIONED_TABLE;
    target.is_unpredictable = target.is_partitioned || get_rel_relispartition(request.target) ||
                              pg::has_policies(request.target);
    target.may_read_xmax =
        pg::may_do_in_column(request.target, MaxTransactionIdAttributeNumber, ACL_SELECT);
    target.has_key = OidIsValid(index);
    if (target.has_key)
        target.index_name = get_rel_name(index);
    if (!target.is_partitioned) {
        add_behaviour(request.target, index, target);
        return target;
    }
    List* relations = find_all_inheritors(request.target, AccessShareLock, nullptr);
    ListCell* cell = nullptr;
    foreach (cell, relations)
        add_behaviour(lfirst_oid(cell), index, target);
    return target;
}

core::Array<Column>
read_columns(core::Arena& arena, const Request& request) {
    core::Array<Column> columns(arena);
    pg::with_relation(request.target, [&](Relation table) {
        if (table == nullptr)
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                    errmsg("relation with OID %u does not exist", request.target));
        const TupleDesc descriptor = RelationGetDescr(table);
        for (int i = 0; i < descriptor->natts; ++i)
            if (const FormData_pg_attribute* attribute = TupleDescAttr(descriptor, i);
                !attribute->attisdropped)
                columns.push_back(read_column(table, *attribute, request.vector_types));
    });
    return columns;
}

void
add_key(core::Arena& arena, Oid oid, std::span<Column> columns, Target& target) {
    if (!OidIsValid(oid))
        return;
    core::Array<KeyExpression> expressions(arena);
    pg::with_relation(oid, [&](Relation index) {
        if (index == nullptr)
            return;
        target.are_key_nulls_equal = pg::are_nulls_equal(index->rd_index);
        ListCell* next = list_head(RelationGetIndexExpressions(index));
        List* all = RelationGetIndexExpressions(index);
        for (int i = 0; i < index->rd_index->indnkeyatts; ++i) {
            const char* collation = pg::collate_clause(index->rd_indcollation[i]);
            if (const int number = index->rd_index->indkey.values[i]; number != 0) {
                Column& column = columns[place_of(columns, number)];
                column.key_place = i + 1;
                column.key_collation = collation;
                column.key_equals = equality_of(index, i);
                column.is_key_null_equal = target.are_key_nulls_equal && !column.is_required;
                continue;
            }
            auto* node = static_cast<Node*>(lfirst(next));
            next = lnext(all, next);
            expressions.push_back({i + 1, read_expression(arena, node, target.oid, columns),
                                   equality_of(index, i), collation});
            for (const int place : expressions.back().value.columns)
                columns[place].is_in_key_expression = true;
        }
        if (pg::has_predicate(index))
            target.key_predicate = {
                true, false, read_expression(arena, pg::predicate_of(index), target.oid, columns)};
    });
    target.key_expressions = expressions.span();
}

void
add_source(const Request& request, Oid rows, const char* name, std::span<Column> columns) {
    pg::with_relation(rows, [&](Relation table) {
        const TupleDesc descriptor = RelationGetDescr(table);
        for (int i = 0; i < descriptor->natts; ++i) {
            const FormData_pg_attribute* attribute = TupleDescAttr(descriptor, i);
            if (attribute->attisdropped || is_line_column(*attribute))
                continue;
            Column* column = std::find_if(
                columns.data(), columns.data() + columns.size(),
                [&](const Column& one) { return one.name == NameStr(attribute->attname); });
            if (column == columns.data() + columns.size())
                ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("column \"%s\" of relation \"%s\" does not exist",
                               NameStr(attribute->attname), get_rel_name(request.target)),
                        errdetail("It is a column of \"%s\".", name));
            column->is_in_source = true;
            column->source_type = read_type(attribute->atttypid, attribute->atttypmod);
        }
    });
}

}  // namespace vext::bulk
