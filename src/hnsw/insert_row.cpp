// The access method's callback for one new row of the table.

#include "hnsw/build.h"
#include "hnsw/insert.h"
#include "hnsw/options.h"
#include "types/vector.h"

namespace vext::hnsw {

namespace {

// What the inserts of one statement share; lives as long as its IndexInfo.
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

}  // namespace

bool
insert_row(Relation index, Datum* values, bool* is_null, ItemPointer tid, Relation,
           IndexUniqueCheck, bool, IndexInfo* info) {
    if (is_null[0])
        return false;
    InsertState& state = insert_state(index, info);
    pg::in_context(state.row_context, [&] {
        const types::VectorArgument vector(values[0]);
        state.inserter->insert(vector.values(), to_tid(*tid));
    });
    MemoryContextReset(state.row_context);
    return false;
}

}  // namespace vext::hnsw
