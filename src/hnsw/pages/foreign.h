// Index files that pgvector made, in a database whose extension vector is now ours.
//
// Its indexes cannot be read here and are not kept up: they are never planned, and the first row
// that would have to come in or go marks the file out of use, so that pgvector does not take it for
// whole either. REINDEX, TRUNCATE and whatever else gives the index a new file makes it ours.

#pragma once

#include "pg/index_am.h"

namespace vext::hnsw {

/// Whether the file of an index is pgvector's, out of use or not. Costs a look at the metapage,
/// once for each time that this process opens the index.
bool is_foreign(Relation index);

/// Marks the file of a foreign index out of use, unless it is.
void retire(Relation index);

/// Raises 55000 where the metapage is of such a file.
void refuse_foreign(Relation index, const std::uint8_t* metapage);

/// Tells once a session that an index is passed over.
void warn_of_foreign(Relation index);

}  // namespace vext::hnsw
