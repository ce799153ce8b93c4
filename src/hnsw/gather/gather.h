// Rows of this transaction that wait in memory to be inserted as batches (../README.md, "Gathered
// rows").
//
// Memory: a context of its own for each index file, under the server's TopTransactionContext, from
// the first row gathered until the rows are in the index, or the transaction ends, or the
// subtransaction is rolled back that the first row came in.

#pragma once

#include <cstddef>
#include <span>

#include "hnsw/pages/layout.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// Takes the row, to be inserted at the next flush; false if the caller has to insert it at once.
/// Raises what Inserter::insert raises for a vector it refuses. May flush.
/// Locks: table and index, RowExclusiveLock until the end of the transaction, or of a
/// subtransaction that is rolled back with the row.
bool gather_row(Relation heap, Relation index, std::span<const float> vector, const Tid& tid);

/// Whether rows may be waiting: nothing else of this file needs to be called if not.
bool has_gathered();

/// How many rows wait for an index.
std::size_t n_gathered(Oid index);

/// Inserts what waits for one index, or for all.
void flush_gathered(Relation index);
void flush_all_gathered();

/// Forgets what waits for an index whose build has seen the rows.
void discard_gathered(Relation index);

/// The subtransaction of this nest level has committed: its rows are of the level above now.
void hand_gathered_up(int level);

/// The subtransaction of this nest level was rolled back: forgets its rows. Cannot fail.
void drop_gathered_of(int level);

/// Inserts what waits; from now on rows are inserted at once, until the transaction ends.
void close_gathering();

/// The transaction has ended and the server takes its memory back.
void forget_gathered();

}  // namespace vext::hnsw
