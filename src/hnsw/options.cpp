// See options.h.

#include "hnsw/options.h"

#include <cstdlib>
#include <limits>

#include "hnsw/limits.h"
#include "pg/compat.h"
#include "pg/setting.h"

namespace vext::hnsw {

constinit int setting_ef_search = kDefaultEfSearch;
constinit int setting_max_scan_tuples = 20000;
constinit double setting_scan_mem_multiplier = 1;
constinit bool setting_glance_reads = true;
constinit bool setting_exact_order = false;
constinit char* setting_only_index = nullptr;
constinit int setting_insert_batch = kDefaultInsertBatch;

namespace {

struct Options {
    int32 vl_len_;
    int m;
    int ef_construction;
    int ef_search;  // 0: not given
};

constinit relopt_kind options_kind = RELOPT_KIND_LOCAL;
constinit bool settings_are_defined = false;
constinit bool ef_search_was_set = false;
constinit int setting_iterative_scan = kIterativeOff;
constinit bool iterative_scan_was_set = false;
constinit bool setting_fill_limit = true;

constexpr config_enum_entry kIterativeScanNames[] = {{"off", kIterativeOff, false},
                                                     {"relaxed_order", kIterativeRelaxed, false},
                                                     {"strict_order", kIterativeStrict, false},
                                                     {nullptr, 0, false}};

// The server tells the source of a value only while it is being set, so the check remembers it for
// the assignment that follows.
bool
note_source(int*, void** extra, GucSource source) {
    auto* is_set = static_cast<bool*>(pg::guc_extra_memory(sizeof(bool)));
    if (is_set == nullptr)
        return false;
    *is_set = source != PGC_S_DEFAULT;
    *extra = is_set;
    return true;
}

void
take_source_of_ef_search(int, void* extra) {
    ef_search_was_set = extra != nullptr && *static_cast<bool*>(extra);
}

void
take_source_of_iterative_scan(int, void* extra) {
    iterative_scan_was_set = extra != nullptr && *static_cast<bool*>(extra);
}

// Whether some module, not only a configuration file, has already defined the setting.
bool
is_defined_elsewhere(const char* name) {
    const int flags = GetConfigOptionFlags(name, true);
    return GetConfigOption(name, true, false) != nullptr && (flags & GUC_CUSTOM_PLACEHOLDER) == 0;
}

const Options*
options_of(Relation relation) {
    return reinterpret_cast<const Options*>(relation->rd_options);
}

void
define_index_options() {
    options_kind = add_reloption_kind();
    add_int_reloption(options_kind, "m",
                      "Most links of a node on an upper layer, half of layer 0's", kDefaultM, kMinM,
                      kMaxM, AccessExclusiveLock);
    add_int_reloption(options_kind, "ef_construction", "Candidate list while building",
                      kDefaultEfConstruction, kMinEfConstruction, kMaxEfConstruction,
                      AccessExclusiveLock);
    add_int_reloption(options_kind, "ef_search",
                      "Candidate list of a search where hnsw.ef_search is not set", 0, 0,
                      kMaxEfSearch, AccessExclusiveLock);
}

}  // namespace

void
define_settings() {
    define_index_options();
    if (is_defined_elsewhere("hnsw.ef_search")) {
        // An error here would keep a server that preloads us from starting.
        ereport(
            process_shared_preload_libraries_in_progress ? WARNING : ERROR,
            errcode(ERRCODE_DUPLICATE_OBJECT),
            errmsg("the settings of access method \"hnsw\" are already defined by another module"),
            errhint("Load only one of pgvector and vector_ext into a server process."));
        return;
    }
    DefineCustomIntVariable("hnsw.ef_search", "Size of the candidate list of a search.",
                            "Larger finds more true neighbours and takes longer.",
                            &setting_ef_search, kDefaultEfSearch, 1, kMaxEfSearch, PGC_USERSET, 0,
                            note_source, take_source_of_ef_search, nullptr);
    DefineCustomEnumVariable("hnsw.iterative_scan", "Whether a scan goes on when rows run out.",
                             "Where it was not set, vector_ext.fill_limit decides.",
                             &setting_iterative_scan, kIterativeOff, kIterativeScanNames,
                             PGC_USERSET, 0, note_source, take_source_of_iterative_scan, nullptr);
    DefineCustomIntVariable("hnsw.max_scan_tuples", "Most nodes visited by an iterative scan.",
                            nullptr, &setting_max_scan_tuples, 20000, 1,
                            std::numeric_limits<int>::max(), PGC_USERSET, 0, nullptr, nullptr,
                            nullptr);
    DefineCustomStringVariable(
        "vector_ext.only_index", "OID of the only hnsw index to plan with; hnsw_recall sets it.",
        nullptr, &setting_only_index, "", PGC_USERSET,
        GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr, nullptr, nullptr);
    DefineCustomRealVariable("hnsw.scan_mem_multiplier",
                             "Memory of an iterative scan, as a multiple of work_mem.", nullptr,
                             &setting_scan_mem_multiplier, 1, 1, 1000, PGC_USERSET, 0, nullptr,
                             nullptr, nullptr);
    MarkGUCPrefixReserved("hnsw");
    DefineCustomBoolVariable(
        "vector_ext.glance_reads", "Whether searches may read codes without pinning their pages.",
        nullptr, &setting_glance_reads, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "vector_ext.exact_order", "Whether index scans return rows in exact order of distance.",
        nullptr, &setting_exact_order, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "vector_ext.fill_limit",
        "Whether a scan goes on when rows run out, where hnsw.iterative_scan was not set.", nullptr,
        &setting_fill_limit, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "vector_ext.insert_batch",
        "Memory in which a transaction gathers new rows, to insert them into indexes together.",
        "0 inserts every row at once.", &setting_insert_batch, kDefaultInsertBatch, 0,
        MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr, nullptr);
    settings_are_defined = true;
}

void
check_settings_defined() {
    if (!settings_are_defined)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("access method \"hnsw\" of vector_ext is not available in this process"),
                errdetail("Another module has defined its settings."),
                errhint("Load only one of pgvector and vector_ext into a server process."));
}

int
option_m(Relation relation) {
    const Options* options = options_of(relation);
    return options != nullptr ? options->m : kDefaultM;
}

int
option_ef_construction(Relation relation) {
    const Options* options = options_of(relation);
    return options != nullptr ? options->ef_construction : kDefaultEfConstruction;
}

bool
may_be_planned(Oid index) {
    return setting_only_index == nullptr || setting_only_index[0] == '\0' ||
           index == std::strtoul(setting_only_index, nullptr, 10);
}

IterativeScan
effective_iterative_scan() {
    if (iterative_scan_was_set)
        return static_cast<IterativeScan>(setting_iterative_scan);
    if (!setting_fill_limit)
        return kIterativeOff;
    return setting_exact_order ? kIterativeStrict : kIterativeRelaxed;
}

int
effective_ef_search(Relation relation) {
    const Options* options = options_of(relation);
    if (!ef_search_was_set && options != nullptr && options->ef_search > 0)
        return options->ef_search;
    return setting_ef_search;
}

bytea*
parse_options(Datum options, bool is_validated) {
    static const relopt_parse_elt kFields[] = {
        {"m", RELOPT_TYPE_INT, offsetof(Options, m)},
        {"ef_construction", RELOPT_TYPE_INT, offsetof(Options, ef_construction)},
        {"ef_search", RELOPT_TYPE_INT, offsetof(Options, ef_search)},
    };
    return static_cast<bytea*>(build_reloptions(options, is_validated, options_kind,
                                                sizeof(Options), kFields, lengthof(kFields)));
}

}  // namespace vext::hnsw
