#include "bulk/request.h"

#include "bulk/rejects.h"
#include "core/array.h"
#include "pg/json.h"
#include "pg/memory.h"
#include "pg/statement.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

constexpr Text kModes[] = {"error", "skip", "update"};
constexpr Text kDuplicates[] = {"error", "first", "last"};

struct RuleName {
    Text name;
    Rule rule;
};

constexpr RuleName kRules[] = {
    {"replace", Rule::kReplace}, {"keep", Rule::kKeep}, {"sum", Rule::kSum},
    {"max", Rule::kMax},         {"min", Rule::kMin},   {"coalesce", Rule::kCoalesce},
    {"concat", Rule::kConcat},   {"now", Rule::kNow},
};

// Raises unless the relation exists and is of one of the `kinds`.
void
check_relation(Oid oid, Text kinds, const char* what) {
    const char* name = get_rel_name(oid);
    if (name == nullptr)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("relation with OID %u does not exist", oid));
    if (kinds.find(get_rel_relkind(oid)) == Text::npos)
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not %s", name, what));
}

void
check_relations(const Request& request, bool has_target, bool has_source) {
    if (!has_target || !has_source)
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                errmsg("%s must not be null", has_target ? "source" : "target"));
    check_relation(request.target, "rp", "a table");
    check_relation(request.source, "rpvmf", "a table or view");
    if (request.options.has_rejects)
        check_relation(request.rejects, "rpvf", "a table");
}

void
check_relations_differ(const Request& request) {
    const auto check = [](Oid a, Oid b, const char* what) {
        if (a == b)
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s are the same table", what));
    };
    check(request.target, request.source, "source and target");
    check(request.rejects, request.source, "reject_into and source");
    check(request.rejects, request.target, "reject_into and target");
}

void
check_rights(const Request& request, bool is_update) {
    if (!pg::may_do_in_any_column(request.target, ACL_INSERT) ||
        (is_update && !pg::may_do_in_any_column(request.target, ACL_UPDATE)))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied for table %s", get_rel_name(request.target)));
}

// An argument of type text; "<NULL>" for NULL.
Text
text_argument(FunctionCallInfo fcinfo, int i) {
    return PG_ARGISNULL(i) ? "<NULL>" : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

// One of three words, in the order of the enumeration; false for another text.
template <typename Word>
bool
read_word(Text text, const Text (&words)[3], Word& word) {
    for (int i = 0; i < 3; ++i)
        if (text == words[i]) {
            word = static_cast<Word>(i);
            return true;
        }
    return false;
}

void
read_modes(FunctionCallInfo fcinfo, Request& request) {
    const Text on_conflict = text_argument(fcinfo, 2);
    if (!read_word(on_conflict, kModes, request.options.on_conflict))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("unknown on_conflict: \"%s\"", on_conflict.data()),
                errhint("There are error, skip and update."));
    const Text duplicates = text_argument(fcinfo, 6);
    if (!read_word(duplicates, kDuplicates, request.options.duplicates))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("unknown duplicates: \"%s\"", duplicates.data()),
                errhint("There are error, first and last."));
    request.max_rejects = PG_ARGISNULL(8) ? -2 : PG_GETARG_INT64(8);
    if (request.max_rejects < -1)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("max_rejects must be -1, for no limit, or at least 0"));
    if (request.max_rejects > 0 && !request.options.has_rejects)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("max_rejects needs a table to reject into"),
                errhint("Name it as reject_into."));
}

Rule
rule_named(const JsonbValue& value) {
    if (value.type == jbvString)
        for (const RuleName& known : kRules)
            if (Text(value.val.string.val, value.val.string.len) == known.name)
                return known.rule;
    return Rule::kNone;
}

std::span<const MergeRule>
read_rules(core::Arena& arena, Jsonb* merge) {
    if (!JB_ROOT_IS_OBJECT(merge))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("merge must be an object, as in {\"column\": \"rule\"}"));
    core::Array<MergeRule> rules(arena);
    pg::for_each_member(merge, [&](Text column, const JsonbValue& value) {
        const Rule rule = rule_named(value);
        if (rule == Rule::kNone)
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("unknown merge rule for column \"%s\": %s",
                           pnstrdup(column.data(), column.size()), pg::json_text(value)),
                    errhint("There are replace, keep, sum, max, min, coalesce, concat and now."));
        rules.push_back({column, rule});
    });
    return rules.span();
}

}  // namespace

std::span<const Text>
names_of(core::Arena& arena, Datum array, const char* argument) {
    Datum* elements = nullptr;
    bool* nulls = nullptr;
    int n = 0;
    deconstruct_array(DatumGetArrayTypeP(array), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
                      &elements, &nulls, &n);
    core::Array<Text> names(arena, n);
    for (int i = 0; i < n; ++i) {
        if (nulls[i])
            ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                    errmsg("%s must not contain nulls", argument));
        names.push_back(NameStr(*DatumGetName(elements[i])));
    }
    return names.span();
}

Oid
schema_of_extension(FunctionCallInfo fcinfo) {
    return get_func_namespace(fcinfo->flinfo->fn_oid);
}

VectorTypes
vector_types_of(Oid schema) {
    const char* const schema_name = get_namespace_name(schema);
    const auto result_of = [schema_name](const char* function) {
        const Oid text[] = {TEXTOID};
        List* name = list_make2(makeString(pstrdup(schema_name)), makeString(pstrdup(function)));
        return get_func_rettype(LookupFuncName(name, 1, text, false));
    };
    const Oid vector = result_of("vector_try_parse");
    const Oid schema_of_types =
        GetSysCacheOid1(TYPEOID, Anum_pg_type_typnamespace, ObjectIdGetDatum(vector));
    return {vector, result_of("halfvec_try_parse"), schema_of_types};
}

Request
read_request(core::Arena& arena, FunctionCallInfo fcinfo) {
    Request request;
    request.target = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
    request.source = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
    request.options.has_rejects = !PG_ARGISNULL(7);
    request.rejects = request.options.has_rejects ? PG_GETARG_OID(7) : InvalidOid;
    check_relations(request, !PG_ARGISNULL(0), !PG_ARGISNULL(1));
    check_rights(request, text_argument(fcinfo, 2) == kModes[2]);
    check_relations_differ(request);
    read_modes(fcinfo, request);
    if (!PG_ARGISNULL(5))
        request.options.merge = read_rules(arena, PG_GETARG_JSONB_P(5));
    if (request.options.has_rejects)
        check_rejects_table(request.rejects);
    request.options.is_exclusive = !PG_ARGISNULL(9) && PG_GETARG_BOOL(9);
    PreventCommandIfReadOnly("vector_bulk_upsert");

    request.has_key = !PG_ARGISNULL(3);
    if (request.has_key)
        request.key = names_of(arena, PG_GETARG_DATUM(3), "key");
    request.options.has_update_columns = !PG_ARGISNULL(4);
    if (request.options.has_update_columns)
        request.options.update_columns = names_of(arena, PG_GETARG_DATUM(4), "update_columns");
    request.options.is_key_needed = request.options.on_conflict != OnConflict::kError ||
                                    request.options.duplicates != Duplicates::kError ||
                                    request.has_key;
    request.schema = schema_of_extension(fcinfo);
    request.vector_types = vector_types_of(request.schema);
    return request;
}

}  // namespace vext::bulk
