// See flush.h.

#include "hnsw/flush.h"

#include "hnsw/insert.h"
#include "hnsw/options.h"

namespace vext::hnsw {

void
insert_rows(Index& index, std::span<QueuedRow> rows) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    auto* inserter = arena.make<Inserter>(
        index, static_cast<std::size_t>(option_ef_construction(index.relation)));
    for (QueuedRow& row : rows) {
        if (row.is_done)
            continue;
        CHECK_FOR_INTERRUPTS();
        inserter->insert({row.values, index.meta.n_dims}, row.tid);
        row.is_done = true;
    }
}

}  // namespace vext::hnsw
