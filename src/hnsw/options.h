// What users can set: index options and session settings.

#pragma once

#include <cstdint>

#include "pg/index_am.h"

namespace vext::hnsw {

inline constexpr int kDefaultM = 16;
inline constexpr int kDefaultEfConstruction = 64;
inline constexpr int kMinEfConstruction = 4, kMaxEfConstruction = 1000;
inline constexpr int kDefaultEfSearch = 40;
inline constexpr int kMaxEfSearch = 1000;
inline constexpr int kDefaultInsertBatch = 64 * 1024;  // kB

enum IterativeScan : int { kIterativeOff, kIterativeRelaxed, kIterativeStrict };

/// The settings; the server writes them.
extern int setting_ef_search;
extern int setting_max_scan_tuples;
extern double setting_scan_mem_multiplier;
extern bool setting_glance_reads;
extern bool setting_exact_order;
extern char* setting_only_index;
extern int setting_insert_batch;  // kB

/// Defines settings and index options. Called once, when the module is loaded.
void define_settings();

/// Refuses to work when the settings could not be defined because another module has theirs.
void check_settings_defined();

/// Index options of `relation`, or their defaults.
int option_m(Relation relation);
int option_ef_construction(Relation relation);

/// Whether plans may use the index: any, unless a measurement is of one index alone.
bool may_be_planned(Oid index);

/// How a scan goes on: the setting if it was set; else like kIterativeRelaxed, so that a LIMIT is
/// filled, unless vector_ext.fill_limit is off, or like kIterativeStrict with
/// vector_ext.exact_order.
IterativeScan effective_iterative_scan();

/// The candidate list of a search: the setting if it was set, else the index option, else 40.
int effective_ef_search(Relation relation);

/// Callback of the access method.
bytea* parse_options(Datum options, bool is_validated);

}  // namespace vext::hnsw
