// What users can set: index options and session settings.

#pragma once

#include <cstddef>
#include <cstdint>

#include "pg/index_am.h"

namespace vext::hnsw {

inline constexpr int kDefaultM = 16;
inline constexpr int kDefaultEfConstruction = 64;
inline constexpr int kMinEfConstruction = 4, kMaxEfConstruction = 1000;
inline constexpr int kDefaultEfSearch = 40;
inline constexpr int kMaxEfSearch = 1000;
inline constexpr int kDefaultInsertBatch = 64 * 1024;  // kB
inline constexpr int kDefaultLists = 100;
inline constexpr int kMaxLists = 32768;  ///< and probes

enum IterativeScan : int { kIterativeOff, kIterativeRelaxed, kIterativeStrict };

/// The settings; the server writes them.
extern int setting_ef_search;
extern double setting_scan_mem_multiplier;
extern bool setting_glance_reads;
extern bool setting_exact_order;
extern char* setting_only_index;
extern int setting_insert_batch;  // kB

/// Defines settings and index options. Called once, when the module is loaded. Raises 42710 where
/// another module has defined them; a server that preloads modules goes on without them, and false
/// is returned.
bool define_settings();

/// Refuses to work when the settings could not be defined because another module has theirs.
void check_settings_defined();

/// Index options of `relation`, or their defaults.
int option_m(Relation relation);
int option_ef_construction(Relation relation);

/// Whether plans may use the index: any, unless a measurement is of one index alone, or of a
/// partitioned one, whose partitions may be used.
bool may_be_planned(Oid index);

/// Whether an access method of this module, by whatever name, has made the index or will.
bool is_graph(Relation index);

/// Whether it is of the access method that takes the options of inverted lists.
bool is_of_lists(Relation index);

/// How a scan goes on: the setting if it was set; else like kIterativeRelaxed, so that a LIMIT is
/// filled, unless vector_ext.fill_limit is off, or like kIterativeStrict with
/// vector_ext.exact_order. Where the index is of lists it always goes on: a list that is probed has
/// many more rows than a candidate list.
IterativeScan effective_iterative_scan(Relation index);

/// The most nodes that a scan visits of an index of so many: the setting; where the index is of
/// lists, the share of them that ivfflat.max_probes is.
std::size_t max_scan_tuples(Relation index, std::size_t n_nodes);

/// The candidate list of a search: the setting if it was set, else the index option, else 40. Where
/// the index is of lists, at least what finds as much as ivfflat.probes of its lists would.
int effective_ef_search(Relation index);

/// Callbacks of the access methods hnsw and ivfflat.
bytea* parse_options(Datum options, bool is_validated);
bytea* parse_list_options(Datum options, bool is_validated);

}  // namespace vext::hnsw
