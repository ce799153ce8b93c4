// The handlers of the access methods, hnsw and, with the options of inverted lists, ivfflat: which
// callbacks they have and what they can do.

#include "hnsw/batch/progress.h"
#include "hnsw/build/build.h"
#include "hnsw/gather/load_progress.h"
#include "hnsw/options.h"
#include "hnsw/scan/cost.h"
#include "hnsw/scan/scan.h"
#include "hnsw/vacuum/vacuum.h"
#include "pg/compat.h"
#include "pg/function.h"

namespace vext::hnsw {

namespace {

// As many as pgvector's classes have, of which ours need two.
constexpr uint16 kSupportFunctions = 3;
constexpr uint16 kListSupportFunctions = 5;

// An operator class is only as good as its distance function, which is looked at when an index is
// created (create.h); the server checks the rest.
bool
validate_operator_class(Oid) {
    return true;
}

constexpr IndexAmRoutine
make_routine(uint16 n_support_functions, amoptions_function parse) {
    IndexAmRoutine routine = {};
    routine.type = T_IndexAmRoutine;
    routine.amstrategies = 0;
    routine.amsupport = n_support_functions;
    routine.amoptsprocnum = 0;
    routine.amcanorder = false;
    routine.amcanorderbyop = true;
    routine.amcanbackward = false;
    routine.amcanunique = false;
    routine.amcanmulticol = false;
    routine.amoptionalkey = true;
    routine.amsearcharray = false;
    routine.amsearchnulls = false;
    routine.amstorage = false;
    routine.amclusterable = false;
    routine.ampredlocks = false;
    routine.amcanparallel = false;
    routine.amcaninclude = false;
    routine.amusemaintenanceworkmem = false;
    routine.amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL;
    routine.amkeytype = InvalidOid;

    routine.ambuild = build_index;
    routine.ambuildempty = build_empty;
    routine.aminsert = insert_counted_row;
    routine.ambulkdelete = delete_rows;
    routine.amvacuumcleanup = clean_up;
    routine.amcostestimate = estimate_cost;
    routine.amoptions = parse;
    routine.ambuildphasename = build_phase_name;
    routine.amvalidate = validate_operator_class;
    routine.ambeginscan = begin_scan;
    routine.amrescan = rescan;
    routine.amgettuple = get_next_row;
    routine.amendscan = end_scan;
    return routine;
}

constinit const IndexAmRoutine routine = make_routine(kSupportFunctions, parse_options);
constinit const IndexAmRoutine list_routine =
    make_routine(kListSupportFunctions, parse_list_options);

// Of the support functions that tell pgvector a class's type; the server calls none by itself.
[[noreturn]] Datum
refuse_call(FunctionCallInfo) {
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("support functions of access methods cannot be called"));
    pg_unreachable();
}

}  // namespace

}  // namespace vext::hnsw

VEXT_FUNCTION(hnswhandler) {
    return vext::pg::returned_routine(vext::hnsw::routine);
}

VEXT_FUNCTION(ivfflathandler) {
    return vext::pg::returned_routine(vext::hnsw::list_routine);
}

VEXT_FUNCTION_AS(hnsw_halfvec_support, vext::hnsw::refuse_call);
VEXT_FUNCTION_AS(hnsw_bit_support, vext::hnsw::refuse_call);
VEXT_FUNCTION_AS(hnsw_sparsevec_support, vext::hnsw::refuse_call);
VEXT_FUNCTION_AS(ivfflat_halfvec_support, vext::hnsw::refuse_call);
VEXT_FUNCTION_AS(ivfflat_bit_support, vext::hnsw::refuse_call);
