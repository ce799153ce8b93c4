// See column.h.

#include "hnsw/pages/column.h"

#include "hnsw/options.h"
#include "pg/object_access.h"
#include "pg/table_catalog.h"
#include "types/checks.h"

namespace vext::hnsw {

namespace {

constinit object_access_hook_type next_object_access = nullptr;

// -1 where the type does not say it.
int
declared_dims(Relation index) {
    const FormData_pg_attribute& attribute = *TupleDescAttr(RelationGetDescr(index), 0);
    int32 modifier = attribute.atttypmod;
    if (modifier == -1)
        (void)getBaseTypeAndTypmod(attribute.atttypid, &modifier);
    return modifier;
}

// Of a domain, what it is made of: a modifier stands behind that alone. Without its schema: from
// PostgreSQL 17 on, CREATE INDEX has a search_path of its own, by which it would stand there
// always.
const char*
type_name(Oid type) {
    const Oid base = getBaseType(type);
    return base == BITOID ? "bit" : pg::bare_type(base);
}

// The server takes varbit for bit.
void
check_type(Relation index) {
    if (getBaseType(TupleDescAttr(RelationGetDescr(index), 0)->atttypid) == VARBITOID)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("type not supported for hnsw index"),
                errdetail("Strings of type bit varying are of any length."),
                errhint("Use bit(n), or index ((expression)::bit(n))."));
}

[[noreturn]] void
raise_no_dims(Relation index) {
    const Oid table = index->rd_index->indrelid;
    const AttrNumber number = index->rd_index->indkey.values[0];
    if (number == 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("column does not have dimensions"),
                errdetail("The expression indexed by \"%s\" does not say them.",
                          RelationGetRelationName(index)),
                errhint("Cast it, as in ((expression)::%s(3)).",
                        type_name(TupleDescAttr(RelationGetDescr(index), 0)->atttypid)));
    const char* column = quote_identifier(get_attname(table, number, false));
    const char* type = type_name(get_atttype(table, number));
    const bool is_table = get_rel_relkind(table) != RELKIND_MATVIEW;
    ereport(
        ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("column does not have dimensions"),
        errdetail("Column %s of \"%s\" is of type %s.", column, get_rel_name(table), type),
        is_table ? errhint("ALTER TABLE %s ALTER COLUMN %s TYPE %s(n), or index ((%s::%s(n))).",
                           quote_identifier(get_rel_name(table)), column, type, column, type)
                 : errhint("Cast in the query of the view, or index ((%s::%s(n))).", column, type));
    pg_unreachable();
}

// An index keeps its file where its column gets another type with the same values.
void
check_new_index(Relation index) {
    if (index->rd_rel->relkind != RELKIND_INDEX || !is_graph(index) || !pg::has_taken_file(index))
        return;
    check_type(index);
    if (declared_dims(index) != -1)
        return;
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("cannot take the dimensions from a column that an index is on"),
            errdetail("Index \"%s\" needs them.", RelationGetRelationName(index)),
            errhint("Name them, as in vector(3), or drop the index."));
}

void
object_access(ObjectAccessType access, Oid class_of, Oid object, int column, void* argument) {
    if (next_object_access != nullptr)
        next_object_access(access, class_of, object, column, argument);
    pg::with_new_relation(access, class_of, object, column, check_new_index);
}

}  // namespace

int
column_dims(Relation index) {
    check_type(index);
    const int n_dims = declared_dims(index);
    if (n_dims < 0)
        raise_no_dims(index);
    return n_dims;
}

void
check_column_dims(Relation index, std::size_t n_dims) {
    types::check_expected_dims(declared_dims(index), n_dims);
}

void
install_column_guard() {
    next_object_access = object_access_hook;
    object_access_hook = object_access;
}

}  // namespace vext::hnsw
