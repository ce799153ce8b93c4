// The access method's handler: which callbacks it has and what it can do.

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

constexpr uint16 kSupportFunctions = 3;

// An operator class is only as good as its distance function, which is looked at when an index is
// created (create.h); the server checks the rest.
bool
validate_operator_class(Oid) {
    return true;
}

constexpr IndexAmRoutine
make_routine() {
    IndexAmRoutine routine = {};
    routine.type = T_IndexAmRoutine;
    routine.amstrategies = 0;
    routine.amsupport = kSupportFunctions;
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
    routine.amoptions = parse_options;
    routine.ambuildphasename = build_phase_name;
    routine.amvalidate = validate_operator_class;
    routine.ambeginscan = begin_scan;
    routine.amrescan = rescan;
    routine.amgettuple = get_next_row;
    routine.amendscan = end_scan;
    return routine;
}

constinit const IndexAmRoutine routine = make_routine();

}  // namespace

}  // namespace vext::hnsw

VEXT_FUNCTION(hnsw_handler) {
    return vext::pg::returned_routine(vext::hnsw::routine);
}
