// What differs between server versions 15 to 19: the only file that asks for the version.

#pragma once

#include "pg/server.h"

#if PG_VERSION_NUM < 150000
#error "vector_ext needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 160000
extern "C" {
#include "utils/relfilenumbermap.h"
#include "varatt.h"
}
#else
extern "C" {
#include "utils/relfilenodemap.h"
}
#endif

/// Reports an error about input. Where the server has soft errors (16 and later) and `context` asks
/// for them, it is only recorded there and control comes back: the caller must then return.
#if PG_VERSION_NUM >= 160000
#define VEXT_ERRSAVE(context, ...) errsave(context, __VA_ARGS__)
#else
#define VEXT_ERRSAVE(context, ...)   \
    do {                             \
        (void)(context);             \
        ereport(ERROR, __VA_ARGS__); \
    } while (0)
#endif

extern "C" {
#include "access/amapi.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "commands/copy.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "nodes/primnodes.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace vext::pg {

#if PG_VERSION_NUM >= 160000
using FileLocator = RelFileLocator;

inline FileLocator
file_locator(Relation relation) {
    return relation->rd_locator;
}

inline Oid
file_number(const FileLocator& locator) {
    return locator.relNumber;
}
#else
using FileLocator = RelFileNode;

inline FileLocator
file_locator(Relation relation) {
    return relation->rd_node;
}

inline Oid
file_number(const FileLocator& locator) {
    return locator.relNode;
}
#endif
static_assert(sizeof(FileLocator) == 3 * sizeof(uint32), "tablespace, database, file number");

/// Memory for the `extra` value of a setting, which the server frees; null when there is none.
inline void*
guc_extra_memory(std::size_t n_bytes) {
#if PG_VERSION_NUM >= 160000
    return guc_malloc(LOG, n_bytes);
#else
    return std::malloc(n_bytes);
#endif
}

/// Takes from the session what schemas it searches, where the server's own maintenance does: from
/// 17 on.
inline void
restrict_search_path() {
#if PG_VERSION_NUM >= 170000
    RestrictSearchPath();
#endif
}

/// What the handler of an access method returns for a routine of static life. Before PostgreSQL 19
/// the server frees what it gets; from then on it keeps the address.
inline Datum
returned_routine(const IndexAmRoutine& routine) {
#if PG_VERSION_NUM >= 190000
    return PointerGetDatum(&routine);
#else
    auto* copy = makeNode(IndexAmRoutine);
    *copy = routine;
    return PointerGetDatum(copy);
#endif
}

/// Whether COPY reads or writes its binary format.
inline bool
is_binary(const CopyFormatOptions& options) {
#if PG_VERSION_NUM >= 190000
    return options.format == COPY_FORMAT_BINARY;
#else
    return options.binary;
#endif
}

/// Tells the planner that a path must not be used (beside its cost).
inline void
mark_unusable(IndexPath* path) {
#if PG_VERSION_NUM >= 180000
    path->path.disabled_nodes = 2;
#else
    (void)path;
#endif
}

/// Whether an aggregate counts on the order in which its rows come.
inline bool
is_presorted(const Aggref* aggregate) {
#if PG_VERSION_NUM >= 160000
    return aggregate->aggpresorted;
#else
    (void)aggregate;
    return false;
#endif
}

/// The snapshot if rows that it shows may be removed all the same, which old_snapshot_threshold
/// does before PostgreSQL 17; else null.
inline Snapshot
snapshot_at_risk(Snapshot snapshot) {
#if PG_VERSION_NUM < 170000
    return OldSnapshotThresholdActive() ? snapshot : nullptr;
#else
    (void)snapshot;
    return nullptr;
#endif
}

/// Raises "snapshot too old" if the page has changed since a snapshot at risk was taken, and the
/// snapshot is older than allowed: what it should show may be gone from the page.
inline void
check_snapshot(Snapshot snapshot, Relation index, const std::uint8_t* page) {
#if PG_VERSION_NUM < 170000
    TestForOldSnapshot(snapshot, index, reinterpret_cast<Page>(const_cast<std::uint8_t*>(page)));
#else
    (void)snapshot;
    (void)index;
    (void)page;
#endif
}

/// The relation of this database that has the main file of this locator; InvalidOid when none has.
inline Oid
find_relation_of(const FileLocator& locator) {
#if PG_VERSION_NUM >= 160000
    return RelidByRelfilenumber(locator.spcOid, locator.relNumber);
#else
    return RelidByRelfilenode(locator.spcNode, locator.relNode);
#endif
}

/// Counts a page that was in the buffer pool against vacuum's cost limit, as ReadBuffer does and
/// ReadRecentBuffer does not.
inline void
charge_page_hit() {
#if PG_VERSION_NUM < 180000
    ++VacuumPageHit;
#endif
    VacuumCostBalance += VacuumCostPageHit;
}

/// Sleeps as the vacuum cost settings say; checks for interrupts.
inline void
delay_vacuum() {
#if PG_VERSION_NUM >= 180000
    vacuum_delay_point(false);
#else
    vacuum_delay_point();
#endif
}

/// Counts a scan in the statistics and, where EXPLAIN shows it, in the plan.
inline void
count_index_scan(IndexScanDesc scan) {
    pgstat_count_index_scan(scan->indexRelation);
#if PG_VERSION_NUM >= 180000
    if (scan->instrument != nullptr)
        ++scan->instrument->nsearches;
#endif
}

/// Whether the server holds rows against a constraint.
inline bool
is_enforced(const FormData_pg_constraint* constraint) {
#if PG_VERSION_NUM >= 180000
    return constraint->conenforced;
#else
    (void)constraint;
    return true;
#endif
}

/// Whether a foreign key compares ranges of time by more than equality.
inline bool
has_period(const FormData_pg_constraint* constraint) {
#if PG_VERSION_NUM >= 180000
    return constraint->conperiod;
#else
    (void)constraint;
    return false;
#endif
}

/// Whether the user may look up names in a schema.
inline bool
may_use_schema(Oid schema) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#else
    return pg_namespace_aclcheck(schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#endif
}

/// Begins to fetch rows of a table by the TIDs of an index. From PostgreSQL 19 on this, and the
/// scan below, take hints; none is given.
inline IndexFetchTableData*
begin_index_fetch(Relation table) {
#if PG_VERSION_NUM >= 190000
    return table_index_fetch_begin(table, SO_NONE);
#else
    return table_index_fetch_begin(table);
#endif
}

/// Joins the parallel scan of a table.
inline TableScanDesc
begin_parallel_scan(Relation table, ParallelTableScanDesc scan) {
#if PG_VERSION_NUM >= 190000
    return table_beginscan_parallel(table, scan, SO_NONE);
#else
    return table_beginscan_parallel(table, scan);
#endif
}

/// The server versions whose buffer manager the glances of glance.h were argued from.
inline constexpr bool kGlancesAreKnown = PG_VERSION_NUM >= 150000 && PG_VERSION_NUM < 200000;

}  // namespace vext::pg
