// See insert_row.h.

#include "hnsw/gather/insert_row.h"

#include "hnsw/gather/gather.h"
#include "hnsw/graph/inserter.h"
#include "hnsw/opclass.h"
#include "hnsw/options.h"
#include "hnsw/pages/column.h"
#include "hnsw/pages/foreign.h"
#include "pg/transaction.h"

namespace vext::hnsw {

namespace {

// What the rows of one statement share that are inserted at once; lives as long as its IndexInfo.
struct InsertState {
    Index index;
    Inserter* inserter;
    MemoryContext row_context;
};

InsertState&
insert_state(Relation index, IndexInfo* info) {
    if (info->ii_AmCache == nullptr) {
        pg::in_context(info->ii_Context, [&] {
            core::Arena arena = pg::context_arena(info->ii_Context);
            auto* state = arena.make<InsertState>();
            state->index = open_index(index);
            state->inserter = arena.make<Inserter>(
                state->index, static_cast<std::size_t>(option_ef_construction(index)));
            state->row_context =
                AllocSetContextCreate(info->ii_Context, "hnsw insert row", ALLOCSET_DEFAULT_SIZES);
            info->ii_AmCache = state;
        });
    }
    return *static_cast<InsertState*>(info->ii_AmCache);
}

// Calls `work(Inserter&)` in memory that is then reset; returns what it returns. A stale inserter
// has done nothing; that happens once in the life of an index.
template <typename Work>
bool
with_inserter(Relation index, IndexInfo* info, Work&& work) {
    for (;;) {
        InsertState& state = insert_state(index, info);
        const bool result =
            pg::in_context(state.row_context, [&] { return work(*state.inserter); });
        MemoryContextReset(state.row_context);
        if (!state.inserter->is_stale())
            return result;
        info->ii_AmCache = nullptr;
    }
}

}  // namespace

// A row that joins the node of its earlier version is in the index for the price of a short search,
// less than a batch would take for it. Of a concurrent build come rows of other transactions, which
// are not ours to keep waiting.
bool
insert_row(Relation index, Datum* values, bool* is_null, ItemPointer pointer, Relation heap,
           IndexUniqueCheck, bool is_unchanged, IndexInfo* info) {
    if (is_null[0])
        return false;
    if (is_foreign(index)) {
        retire(index);
        return false;
    }
    IndexedValue vector(index, values[0]);
    check_column_dims(index, vector.n_dims());
    const Tid tid = to_tid(*pointer);
    const bool has_joined = is_unchanged && with_inserter(index, info, [&](Inserter& inserter) {
                                return inserter.join(vector.numbers(), tid);
                            });
    const bool is_gathered =
        has_joined || (!info->ii_Concurrent && gather_row(heap, index, vector.numbers(), tid));
    if (!is_gathered)
        with_inserter(index, info,
                      [&](Inserter& inserter) { return inserter.insert(vector.numbers(), tid); });
    if (has_joined || !is_gathered)
        pg::check_index_readers(index);
    vector.free_copy(values[0]);
    return false;
}

}  // namespace vext::hnsw
