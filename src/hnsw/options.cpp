// See options.h.

#include "hnsw/options.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "hnsw/limits.h"
#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/setting.h"

namespace vext::hnsw {

constinit int setting_ef_search = kDefaultEfSearch;
constinit double setting_scan_mem_multiplier = 1;
constinit bool setting_glance_reads = true;
constinit bool setting_exact_order = false;
constinit char* setting_only_index = nullptr;
constinit int setting_insert_batch = kDefaultInsertBatch;

namespace {

// A list that is probed finds less than a search of this many candidates does.
constexpr int kEfOfProbe = 40;

struct Options {
    int32 vl_len_;
    int m;
    int ef_construction;
    int ef_search;  // 0: not given
};

// Those of an index of lists: as an index of the other kind for which nothing was given.
struct ListOptions {
    Options graph;
    int lists;
};

constinit relopt_kind options_kind = RELOPT_KIND_LOCAL;
constinit relopt_kind list_options_kind = RELOPT_KIND_LOCAL;
constinit bool settings_are_defined = false;
constinit bool ef_search_was_set = false;
constinit int setting_iterative_scan = kIterativeOff;
constinit bool iterative_scan_was_set = false;
constinit int setting_list_iterative_scan = kIterativeOff;
constinit int setting_max_scan_tuples = 20000;
constinit int setting_probes = 1;
constinit int setting_max_probes = kMaxLists;
constinit bool setting_fill_limit = true;
constinit char* setting_version = nullptr;

constexpr config_enum_entry kIterativeScanNames[] = {{"off", kIterativeOff, false},
                                                     {"relaxed_order", kIterativeRelaxed, false},
                                                     {"strict_order", kIterativeStrict, false},
                                                     {nullptr, 0, false}};
constexpr config_enum_entry kListIterativeScanNames[] = {
    {"off", kIterativeOff, false},
    {"relaxed_order", kIterativeRelaxed, false},
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

// By which an access method of ours is told, whatever its name; null for what is no index. While an
// index is being created the server has not yet read its access method.
amoptions_function
options_parser(Relation relation) {
    const IndexAmRoutine* routine = relation->rd_indam != nullptr
                                        ? relation->rd_indam
                                        : GetIndexAmRoutineByAmId(relation->rd_rel->relam, true);
    return routine != nullptr ? routine->amoptions : nullptr;
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
    list_options_kind = add_reloption_kind();
    add_int_reloption(list_options_kind, "lists",
                      "Inverted lists that a search would probe some of; a graph has none",
                      kDefaultLists, 1, kMaxLists, AccessExclusiveLock);
}

int
option_lists(Relation index) {
    const auto* options = reinterpret_cast<const ListOptions*>(index->rd_options);
    return options != nullptr ? options->lists : kDefaultLists;
}

void
define_list_settings() {
    DefineCustomIntVariable("ivfflat.probes", "Lists to find as much as a search of them would.",
                            nullptr, &setting_probes, 1, 1, kMaxLists, PGC_USERSET, 0, nullptr,
                            nullptr, nullptr);
    DefineCustomEnumVariable("ivfflat.iterative_scan",
                             "Has no effect: a scan goes on when rows run out.", nullptr,
                             &setting_list_iterative_scan, kIterativeOff, kListIterativeScanNames,
                             PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("ivfflat.max_probes",
                            "The share of its lists that a scan which goes on may visit.", nullptr,
                            &setting_max_probes, kMaxLists, 1, kMaxLists, PGC_USERSET, 0, nullptr,
                            nullptr, nullptr);
    MarkGUCPrefixReserved("ivfflat");
}

}  // namespace

bool
define_settings() {
    if (is_defined_elsewhere("hnsw.ef_search")) {
        // An error here would keep a server that preloads us from starting.
        ereport(
            process_shared_preload_libraries_in_progress ? WARNING : ERROR,
            errcode(ERRCODE_DUPLICATE_OBJECT),
            errmsg("the settings of access method \"hnsw\" are already defined by another module"),
            errhint("Load only one of pgvector and vector_ext into a server process."));
        return false;
    }
    define_index_options();
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
        "That of a partitioned table stands for those of its partitions.", &setting_only_index, "",
        PGC_USERSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr, nullptr,
        nullptr);
    DefineCustomRealVariable("hnsw.scan_mem_multiplier",
                             "Memory of an iterative scan, as a multiple of work_mem.", nullptr,
                             &setting_scan_mem_multiplier, 1, 1, 1000, PGC_USERSET, 0, nullptr,
                             nullptr, nullptr);
    MarkGUCPrefixReserved("hnsw");
    define_list_settings();
    DefineCustomStringVariable("vector_ext.version", "Version of the library in this session.",
                               nullptr, &setting_version, VEXT_VERSION, PGC_INTERNAL,
                               GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr, nullptr, nullptr);
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
    return true;
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
    return options != nullptr && options->m > 0 ? options->m : kDefaultM;
}

int
option_ef_construction(Relation relation) {
    const Options* options = options_of(relation);
    return options != nullptr && options->ef_construction > 0 ? options->ef_construction
                                                              : kDefaultEfConstruction;
}

bool
may_be_planned(Oid index) {
    if (setting_only_index == nullptr || setting_only_index[0] == '\0')
        return true;
    const auto only = static_cast<Oid>(std::strtoul(setting_only_index, nullptr, 10));
    return index == only || pg::is_partition_of(index, only);
}

bool
is_graph(Relation index) {
    const amoptions_function parse = options_parser(index);
    return parse == parse_options || parse == parse_list_options;
}

bool
is_of_lists(Relation index) {
    return options_parser(index) == parse_list_options;
}

IterativeScan
effective_iterative_scan(Relation index) {
    if (iterative_scan_was_set && !is_of_lists(index))
        return static_cast<IterativeScan>(setting_iterative_scan);
    if (!setting_fill_limit && !is_of_lists(index))
        return kIterativeOff;
    return setting_exact_order ? kIterativeStrict : kIterativeRelaxed;
}

std::size_t
max_scan_tuples(Relation index, std::size_t n_nodes) {
    if (!is_of_lists(index))
        return static_cast<std::size_t>(setting_max_scan_tuples);
    const auto n_lists = static_cast<std::size_t>(option_lists(index));
    const auto n_probes = static_cast<std::size_t>(std::max(setting_probes, setting_max_probes));
    return n_probes >= n_lists ? n_nodes : n_nodes * n_probes / n_lists;
}

int
effective_ef_search(Relation index) {
    if (is_of_lists(index))
        return std::clamp(kEfOfProbe * setting_probes, setting_ef_search, kMaxEfSearch);
    const Options* options = options_of(index);
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

bytea*
parse_list_options(Datum options, bool is_validated) {
    static const relopt_parse_elt kFields[] = {
        {"lists", RELOPT_TYPE_INT, offsetof(ListOptions, lists)},
    };
    return static_cast<bytea*>(build_reloptions(options, is_validated, list_options_kind,
                                                sizeof(ListOptions), kFields, lengthof(kFields)));
}

}  // namespace vext::hnsw
