// What the catalogue says of tables: columns, types, defaults, constraints, triggers, rights; and
// names as SQL writes them.
//
// Texts are in the current memory context.

#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"
#include "utils/rls.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
}

namespace vext::pg {

/// Runs `body` with a relation, locked against changes of what it is; null if it does not exist.
template <typename Body>
void
with_relation(Oid oid, const Body& body) {
    const Relation relation = try_relation_open(oid, AccessShareLock);
    body(relation);
    if (relation != nullptr)
        relation_close(relation, AccessShareLock);
}

// --- names ---

/// A relation with its schema, quoted.
inline const char*
qualified_relation(Oid oid) {
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(oid)),
                                      get_rel_name(oid));
}

/// What `form` makes of a type's row in the catalogue, a text.
template <typename Form>
const char*
text_of_type(Oid oid, const Form& form) {
    const HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for type %u", oid);
    const char* text = form(*reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple)));
    ReleaseSysCache(tuple);
    return text;
}

/// A type with its schema, quoted, without modifier.
inline const char*
qualified_type(Oid oid) {
    return text_of_type(oid, [](const FormData_pg_type& type) {
        return quote_qualified_identifier(get_namespace_name(type.typnamespace),
                                          NameStr(type.typname));
    });
}

/// A type's name alone, quoted.
inline const char*
bare_type(Oid oid) {
    return text_of_type(oid, [](const FormData_pg_type& type) -> const char* {
        return quote_identifier(pstrdup(NameStr(type.typname)));
    });
}

/// A type with its modifier, as found by any search_path.
inline const char*
type_with_modifier(Oid oid, int32 modifier) {
    return format_type_extended(oid, modifier,
                                FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/// A collation as a clause " COLLATE name"; empty for none.
inline const char*
collate_clause(Oid oid) {
    if (!OidIsValid(oid))
        return "";
    const HeapTuple tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple))
        return "";
    const auto* collation = reinterpret_cast<Form_pg_collation>(GETSTRUCT(tuple));
    const char* name = quote_qualified_identifier(get_namespace_name(collation->collnamespace),
                                                  NameStr(collation->collname));
    ReleaseSysCache(tuple);
    return psprintf(" COLLATE %s", name);
}

/// An operator as OPERATOR(schema.name).
inline const char*
qualified_operator(Oid oid) {
    const HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for operator %u", oid);
    const auto* op = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    const char* text =
        psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(op->oprnamespace)),
                 NameStr(op->oprname));
    ReleaseSysCache(tuple);
    return text;
}

/// The schema, quoted, of an operator on two values of a type: pg_catalog if it has one or there is
/// none.
inline const char*
schema_of_operator(const char* name, Oid type) {
    Oid schema = InvalidOid;
    CatCList* operators = SearchSysCacheList3(OPERNAMENSP, CStringGetDatum(name),
                                              ObjectIdGetDatum(type), ObjectIdGetDatum(type));
    for (int i = 0; i < operators->n_members; ++i) {
        const auto* op =
            reinterpret_cast<Form_pg_operator>(GETSTRUCT(&operators->members[i]->tuple));
        if (!OidIsValid(schema) || op->oprnamespace == PG_CATALOG_NAMESPACE)
            schema = op->oprnamespace;
    }
    ReleaseSysCacheList(operators);
    return OidIsValid(schema) ? quote_identifier(get_namespace_name(schema)) : "pg_catalog";
}

/// An expression of the catalogue over columns of a relation (InvalidOid: over none) as SQL, its
/// names qualified as far as the search_path in effect demands.
inline const char*
expression_text(const char* expression, Oid relation) {
    return TextDatumGetCString(DirectFunctionCall2(pg_get_expr, CStringGetTextDatum(expression),
                                                   ObjectIdGetDatum(relation)));
}

// --- defaults ---

/// The default of a column, or the expression of a generated one, in the form of the catalogue;
/// null without one.
inline const char*
stored_default(Relation table, AttrNumber number) {
    const TupleConstr* all = RelationGetDescr(table)->constr;
    for (int i = 0; all != nullptr && i < all->num_defval; ++i)
        if (all->defval[i].adnum == number)
            return all->defval[i].adbin;
    return nullptr;
}

/// The same of a type; null without one.
inline const char*
stored_default_of_type(Oid oid) {
    const HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple))
        return nullptr;
    bool is_null = false;
    const Datum value = SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefaultbin, &is_null);
    const char* expression = is_null ? nullptr : TextDatumGetCString(value);
    ReleaseSysCache(tuple);
    return expression;
}

/// Whether an expression in the form of the catalogue is a constant.
inline bool
is_constant(const char* expression) {
    return IsA(stringToNode(expression), Const);
}

// --- constraints ---

/// Calls `body(tuple, descriptor, form)` for each enforced constraint of a table, by name.
template <typename Body>
void
for_each_constraint(Oid table, const Body& body) {
    const Relation catalog = table_open(ConstraintRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(table));
    const SysScanDesc scan =
        systable_beginscan(catalog, ConstraintRelidTypidNameIndexId, true, nullptr, 1, &key);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
         tuple = systable_getnext(scan)) {
        const auto* form = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
        if (is_enforced(form))
            body(tuple, RelationGetDescr(catalog), form);
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
}

/// Whether a foreign key is what another one of the table, to a partitioned table, has for one of
/// the partitions: rows are judged by that one alone.
inline bool
is_for_partition_of_other(const FormData_pg_constraint* form) {
    if (form->contype != CONSTRAINT_FOREIGN || !OidIsValid(form->conparentid))
        return false;
    const HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(form->conparentid));
    if (!HeapTupleIsValid(tuple))
        return false;
    const auto* parent = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
    const bool is_so = parent->confrelid != form->confrelid;
    ReleaseSysCache(tuple);
    return is_so;
}

/// Whether a table is the other one, or a partition of it at any level.
inline bool
is_part_of(Oid table, Oid other) {
    return table == other || (get_rel_relispartition(table) &&
                              list_member_oid(get_partition_ancestors(table), other));
}

/// Whether an index has expressions or a predicate.
inline bool
has_expressions(Relation index) {
    return !heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr);
}

inline bool
has_predicate(Relation index) {
    return !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
}

/// Whether its rows with NULL in a column of the key are alike.
inline bool
are_nulls_equal(const FormData_pg_index* index) {
    return index->indnullsnotdistinct;
}

/// An expression of an index as SQL, its columns with `alias` before them, or as they are without
/// one.
inline const char*
index_expression_text(Node* expression, Oid table, const char* alias) {
    const char* name = alias != nullptr ? alias : get_rel_name(table);
    return deparse_expression(expression, deparse_context_for(name, table), alias != nullptr,
                              false);
}

/// Calls `body(number)` for each column that an expression of an index looks at; 0 is the whole
/// row.
template <typename Body>
void
for_each_column_of(Node* expression, const Body& body) {
    Bitmapset* members = nullptr;
    pull_varattnos(expression, 1, &members);
    for (int i = bms_next_member(members, -1); i >= 0; i = bms_next_member(members, i))
        body(static_cast<AttrNumber>(i + FirstLowInvalidHeapAttributeNumber));
}

/// The predicate of an index as one expression. Requires: has_predicate.
inline Node*
predicate_of(Relation index) {
    return reinterpret_cast<Node*>(make_ands_explicit(RelationGetIndexPredicate(index)));
}

// --- rights of the user ---

inline bool
may_do(Oid table, AclMode what) {
    return pg_class_aclcheck(table, GetUserId(), what) == ACLCHECK_OK;
}

inline bool
may_do_in_column(Oid table, AttrNumber column, AclMode what) {
    return may_do(table, what) ||
           pg_attribute_aclcheck(table, column, GetUserId(), what) == ACLCHECK_OK;
}

inline bool
may_do_in_any_column(Oid table, AclMode what) {
    return may_do(table, what) ||
           pg_attribute_aclcheck_all(table, GetUserId(), what, ACLMASK_ANY) == ACLCHECK_OK;
}

/// Whether policies limit what the user sees of the table.
inline bool
has_policies(Oid table) {
    return check_enable_rls(table, InvalidOid, true) == RLS_ENABLED;
}

}  // namespace vext::pg
