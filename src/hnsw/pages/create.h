// Creating an index's file: what its definition asks for, and the pages that come before any
// record.

#pragma once

#include "hnsw/pages/index.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// What an index is defined by.
struct Definition {
    core::Metric metric;
    int n_dims;
    int m;
    int ef_construction;
    std::size_t n_entries;  ///< of sparse vectors: that codes are to have room for; 0: others
};

/// The metapage of a new, empty index, but for its seed. Raises what is wrong with the definition:
/// m against ef_construction (22023), too many dimensions (54000). Requires: n_dims >= 1.
MetaPage make_meta(const Definition& definition);

/// The metapage of an index that is being created. Raises also that the column has no dimensions
/// (22023).
MetaPage make_meta(Relation index);

/// Gives codes of sparse vectors room for so many entries, or as many as a page takes; for more
/// where no fewer records fit a page then.
void take_entries(MetaPage& meta, std::size_t n_entries);

/// Changes codes of 4 bits to 8, where records of that size fit a page.
void take_finer_codec(MetaPage& meta);

/// Writes metapage and centroid (n_dims floats, or null for none) into the empty fork. The main
/// fork is not logged here (pg::log_whole_relation comes when the build is done), the init fork is.
void write_first_pages(Relation index, ForkNumber fork, const MetaPage& meta,
                       const float* centroid);

}  // namespace vext::hnsw
