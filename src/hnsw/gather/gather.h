// Rows of this transaction that wait in memory to be inserted as batches (../README.md, "Gathered
// rows").
//
// Memory: a context of its own for each index file, under the server's TopTransactionContext, from
// the first row gathered until the rows are in the index or the transaction ends.

#pragma once

#include <span>

#include "hnsw/pages/layout.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// Takes the row, to be inserted at the next flush; false if the caller has to insert it at once.
/// Raises what Inserter::insert raises for a vector it refuses. May flush.
/// Locks: the index, RowExclusiveLock until the end of the transaction.
bool gather_row(Relation heap, Relation index, std::span<const float> vector, const Tid& tid);

/// Whether rows may be waiting: nothing else of this file needs to be called if not.
bool has_gathered();

/// Inserts what waits for one index, or for all.
void flush_gathered(Relation index);
void flush_all_gathered();

/// Forgets what waits for an index whose build has seen the rows.
void discard_gathered(Relation index);

/// Inserts what waits; from now on rows are inserted at once, until the transaction ends.
void close_gathering();

/// The transaction has ended and the server takes its memory back.
void forget_gathered();

}  // namespace vext::hnsw
