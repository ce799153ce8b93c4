// vector_stage_for: a temporary table to load rows of another table into.

#include <algorithm>

#include "bulk/request.h"
#include "bulk/source.h"
#include "bulk/target.h"
#include "core/array.h"
#include "core/text_builder.h"
#include "pg/copy.h"
#include "pg/memory.h"
#include "pg/spi.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

struct StageRequest {
    Oid target = InvalidOid;
    const char* name = nullptr;  ///< null: one that is free
    bool has_columns = false;
    std::span<const Text> columns;
    bool is_lenient = false;
    Oid schema = InvalidOid;  ///< of the extension
    VectorTypes vector_types;
};

bool
is_wanted(const StageRequest& request, const FormData_pg_attribute& attribute) {
    return !attribute.attisdropped && attribute.attgenerated == '\0' &&
           (!request.has_columns || std::find(request.columns.begin(), request.columns.end(),
                                              NameStr(attribute.attname)) != request.columns.end());
}

void
check_target(Oid target) {
    const char* name = get_rel_name(target);
    if (name == nullptr)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("relation with OID %u does not exist", target));
    const char kind = get_rel_relkind(target);
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", name));
    if (!pg::may_do_in_any_column(target, ACL_INSERT))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied for table %s", name));
}

// Called by a function or a block of code, the stage lives as long as that runs.
void
check_block() {
    if (!pg::is_in_transaction_block() && !pg::is_called_by_code())
        ereport(ERROR, errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
                errmsg("a stage needs a transaction block"),
                errdetail("It is dropped when its transaction ends."), errhint("BEGIN first."));
}

void
check_columns(const StageRequest& request) {
    const char* table = get_rel_name(request.target);
    if (request.has_columns && request.columns.empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("columns must not be empty"));
    for (const Text name : request.columns)
        if (get_attnum(request.target, name.data()) <= 0)
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of relation \"%s\" does not exist", name.data(), table));
    for (const Text name : request.columns)
        if (get_attgenerated(request.target, get_attnum(request.target, name.data())) != '\0')
            ereport(ERROR, errcode(ERRCODE_GENERATED_ALWAYS),
                    errmsg("column \"%s\" of relation \"%s\" is generated", name.data(), table));
}

// Types without their constraints: of a domain what it is made of, of a vector any dimensions. A
// lenient stage takes any text, which becomes a value, or a reject, with the upsert.
void
define_column(const StageRequest& request, Relation table, const FormData_pg_attribute& attribute,
              core::TextBuilder& out) {
    int32 modifier = attribute.atttypmod;
    const Oid type = getBaseTypeAndTypmod(attribute.atttypid, &modifier);
    const bool is_vector = request.vector_types.has(type);
    out.add(quote_identifier(NameStr(attribute.attname)), " ",
            request.is_lenient ? "pg_catalog.text"
                               : pg::type_with_modifier(type, is_vector ? -1 : modifier),
            pg::collate_clause(attribute.attcollation));
    if (const char* stored = pg::stored_default(table, attribute.attnum))
        out.add(" DEFAULT ", pg::expression_text(stored, request.target));
    else if (const char* of_type = pg::stored_default_of_type(attribute.atttypid))
        out.add(" DEFAULT ", pg::expression_text(of_type, InvalidOid));
}

// A generated column, so that COPY leaves it alone.
void
define_line_column(const StageRequest& request, core::TextBuilder& out) {
    if (request.is_lenient && get_attnum(request.target, kLineColumn) == InvalidAttrNumber)
        out.add(", ", kLineColumn, " bigint GENERATED ALWAYS AS (",
                quote_identifier(get_namespace_name(request.schema)),
                ".vector_stage_line(tableoid)) STORED");
}

// Requires: with_own_path, with_spi.
Oid
create_stage(const StageRequest& request) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    const char* name = request.name != nullptr ? request.name : free_temporary_name("vector_stage");
    core::TextBuilder statement(arena);
    core::Separator between(", ");
    statement.add("CREATE TEMPORARY TABLE ", quote_identifier(name), " (");
    pg::with_relation(request.target, [&](Relation table) {
        const TupleDesc descriptor = RelationGetDescr(table);
        for (int i = 0; i < descriptor->natts; ++i) {
            const FormData_pg_attribute& attribute = *TupleDescAttr(descriptor, i);
            if (!is_wanted(request, attribute))
                continue;
            statement.add(between.next());
            define_column(request, table, attribute, statement);
        }
    });
    define_line_column(request, statement);
    statement.add(") ON COMMIT DROP");
    pg::execute(statement.c_str());
    return temporary_relation(name);
}

Oid
make_stage(FunctionCallInfo fcinfo) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    StageRequest request;
    if (PG_ARGISNULL(0))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("target must not be null"));
    request.target = PG_GETARG_OID(0);
    request.name = PG_ARGISNULL(1) ? nullptr : NameStr(*PG_GETARG_NAME(1));
    request.has_columns = !PG_ARGISNULL(2);
    if (request.has_columns)
        request.columns = names_of(arena, PG_GETARG_DATUM(2), "columns");
    request.is_lenient = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
    request.schema = schema_of_extension(fcinfo);
    request.vector_types = vector_types_of(request.schema);
    check_target(request.target);
    check_block();
    check_columns(request);
    Oid stage = InvalidOid;
    with_own_path([&] { stage = create_stage(request); });
    return stage;
}

}  // namespace

VEXT_FUNCTION(stage_line) {
    const int64 line = pg::line_of_copy();
    if (line == 0)
        PG_RETURN_NULL();
    PG_RETURN_INT64(line);
}

VEXT_FUNCTION(stage_for) {
    Oid stage = InvalidOid;
    pg::with_spi([&] { stage = make_stage(fcinfo); });
    PG_RETURN_OID(stage);
}

}  // namespace vext::bulk
