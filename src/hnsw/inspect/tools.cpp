// The SQL functions that look at an index, hnsw_info, hnsw_check, hnsw_coverage and hnsw_prewarm,
// or ahead to one, hnsw_estimate.

#include <algorithm>
#include <span>

#include "hnsw/gather/gather.h"
#include "hnsw/inspect/check.h"
#include "hnsw/inspect/coverage.h"
#include "hnsw/inspect/estimate.h"
#include "hnsw/inspect/info.h"
#include "hnsw/options.h"
#include "hnsw/pages/foreign.h"
#include "hnsw/pages/page_walk.h"
#include "pg/catalog.h"
#include "pg/function.h"
#include "pg/result_set.h"
#include "pg/wire.h"

namespace vext::hnsw {

namespace {

// Opens an hnsw index by its name's oid for reading, with the rows of this transaction; raises what
// keeps it from being one that can be looked at.
Relation
open_for_reading(Oid oid) {
    const Relation relation = pg::open_index(oid, is_graph, "hnsw");
    if (RELATION_IS_OTHER_TEMP(relation))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot access temporary tables of other sessions"));
    if (!pg::has_file_here(relation))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot access temporary or unlogged relations during recovery"));
    if (!relation->rd_index->indisvalid)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("index \"%s\" is not valid", RelationGetRelationName(relation)),
                errhint("REINDEX the index."));
    pg::check_may_select(relation->rd_index->indrelid);
    flush_gathered(relation);
    return relation;
}

Datum
text_datum(const char* text) {
    return CStringGetTextDatum(text);
}

void
return_findings(Relation relation, bool deep, const pg::ResultSet& results) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    core::Array<Finding> findings(arena);
    check_index(relation, deep, findings);
    for (const Finding& finding : findings.span()) {
        const Datum values[] = {
            Int64GetDatum(finding.block), Int64GetDatum(number_of(finding.node)),
            text_datum(finding.problem),
            text_datum(finding.severity == Severity::kDamage ? "damage" : "quality")};
        const bool is_null[] = {false, finding.node == kNoNode, false, false};
        results.add(values, is_null);
    }
}

// Reads every block of a tier into the buffer pool; returns the bytes read.
int64
read_tier(const Index& index, BlockNumber n_blocks, bool is_hot) {
    int64 n_bytes = 0;
    for (BlockNumber block = 0; block < n_blocks; ++block) {
        const bool in_hot_tier =
            block < index.geometry.first_block || index.geometry.is_hot_block(block);
        if (in_hot_tier != is_hot)
            continue;
        CHECK_FOR_INTERRUPTS();
        ReleaseBuffer(pg::pin_block(index.relation, block, index.hints));
        n_bytes += kPageSize;
    }
    return n_bytes;
}

int64
prewarm(Relation relation) {
    const Index index = open_index(relation);
    const BlockNumber n_blocks = RelationGetNumberOfBlocks(relation);
    return read_tier(index, n_blocks, true) + read_tier(index, n_blocks, false);
}

void
return_info(Relation relation, const pg::ResultSet& results) {
    const Info info = collect_info(relation);
    const Datum values[] = {
        Int32GetDatum(static_cast<int32>(info.format)),
        text_datum(info.metric),
        text_datum(info.codec),
        Int32GetDatum(info.n_dims),
        Int32GetDatum(info.m),
        Int32GetDatum(info.ef_construction),
        Int32GetDatum(info.n_layers),
        Int64GetDatum(info.n_nodes),
        Int64GetDatum(info.n_dead),
        Int64GetDatum(info.n_unlinked),
        Float8GetDatum(info.links_avg),
        Int32GetDatum(info.links_max),
        Int64GetDatum(info.hot_pages),
        Int64GetDatum(info.hot_pages * kPageSize),
        Int64GetDatum(info.cold_pages),
        Int64GetDatum(info.cold_pages * kPageSize),
        Float8GetDatum(info.fill),
        Int64GetDatum(info.n_fallbacks),
        Int64GetDatum(info.n_cut_short),
        Float8GetDatum(info.centroid_offset.value_or(0)),
    };
    bool is_null[std::size(values)] = {};
    is_null[std::size(values) - 1] = !info.centroid_offset;
    results.add(values, is_null);
}

void
return_coverage(Relation relation, const pg::ResultSet& results) {
    const Coverage coverage = measure_coverage(relation);
    const std::int64_t counts[] = {coverage.n_table_rows, coverage.n_indexed, coverage.n_nulls,
                                   coverage.n_zeros,      coverage.n_outside, coverage.n_missing,
                                   coverage.n_entries,    coverage.n_dead};
    Datum values[std::size(counts)];
    std::transform(std::begin(counts), std::end(counts), values,
                   [](std::int64_t n) { return Int64GetDatum(n); });
    const bool is_null[std::size(counts)] = {};
    results.add(values, is_null);
}

core::Metric
metric_of_argument(text* argument) {
    const std::optional<core::Metric> metric = core::metric_of_name(pg::text_of(argument));
    if (!metric)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("unknown metric \"%s\"", text_to_cstring(argument)),
                errhint("Metrics are l2, ip, cosine, l1, hamming and jaccard."));
    return *metric;
}

void
return_estimate(std::int64_t n_rows, const Definition& definition, const pg::ResultSet& results) {
    const Estimate estimate =
        estimate_index(n_rows, definition, max_parallel_maintenance_workers + 1);
    const std::uint64_t n_bytes = estimate.hot_bytes + estimate.cold_bytes;
    const char* summary =
        psprintf("index of %s, built by %d processes in %.0f s with maintenance_work_mem %s",
                 pg::pretty_size(n_bytes), max_parallel_maintenance_workers + 1,
                 std::ceil(estimate.build_seconds), pg::pretty_size(estimate.build_memory));
    const Datum values[] = {
        Int64GetDatum(static_cast<int64>(estimate.build_memory)),
        text_datum(estimate.build_time),
        Int64GetDatum(static_cast<int64>(estimate.hot_bytes)),
        Int64GetDatum(static_cast<int64>(estimate.cold_bytes)),
        Int64GetDatum(static_cast<int64>(estimate.hot_bytes + estimate.cold_bytes)),
        Float8GetDatum(estimate.build_seconds),
        text_datum(summary),
    };
    const bool is_null[std::size(values)] = {};
    results.add(values, is_null);
}

}  // namespace

}  // namespace vext::hnsw

VEXT_FUNCTION(hnsw_check) {
    const Relation index = vext::hnsw::open_for_reading(PG_GETARG_OID(0));
    vext::hnsw::return_findings(index, PG_GETARG_BOOL(1), vext::pg::ResultSet(fcinfo));
    index_close(index, AccessShareLock);
    PG_RETURN_NULL();
}

VEXT_FUNCTION(hnsw_coverage) {
    const Relation index = vext::hnsw::open_for_reading(PG_GETARG_OID(0));
    vext::hnsw::return_coverage(index, vext::pg::ResultSet(fcinfo));
    index_close(index, AccessShareLock);
    PG_RETURN_NULL();
}

VEXT_FUNCTION(hnsw_estimate) {
    const int n_entries = PG_GETARG_INT32(5);
    if (n_entries < 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("number of entries must not be negative"));
    const vext::hnsw::Definition definition = {
        vext::hnsw::metric_of_argument(PG_GETARG_TEXT_PP(4)), PG_GETARG_INT32(1),
        PG_GETARG_INT32(2), PG_GETARG_INT32(3), static_cast<std::size_t>(n_entries)};
    vext::hnsw::return_estimate(PG_GETARG_INT64(0), definition, vext::pg::ResultSet(fcinfo));
    PG_RETURN_NULL();
}

VEXT_FUNCTION(hnsw_info) {
    const Relation index = vext::hnsw::open_for_reading(PG_GETARG_OID(0));
    vext::hnsw::return_info(index, vext::pg::ResultSet(fcinfo));
    index_close(index, AccessShareLock);
    PG_RETURN_NULL();
}

VEXT_FUNCTION(hnsw_is_foreign) {
    // Whoever asks for all indexes meets some that are dropped meanwhile.
    const Relation relation = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
    if (!RelationIsValid(relation))
        PG_RETURN_BOOL(false);
    const bool is_foreign = relation->rd_rel->relkind == RELKIND_INDEX &&
                            !RELATION_IS_OTHER_TEMP(relation) &&
                            vext::pg::has_file_here(relation) && vext::hnsw::is_graph(relation) &&
                            vext::hnsw::is_foreign(relation);
    relation_close(relation, AccessShareLock);
    PG_RETURN_BOOL(is_foreign);
}

VEXT_FUNCTION(hnsw_prewarm) {
    const Relation index = vext::hnsw::open_for_reading(PG_GETARG_OID(0));
    const int64 n_bytes = vext::hnsw::prewarm(index);
    index_close(index, AccessShareLock);
    PG_RETURN_INT64(n_bytes);
}
