// See row_sample.h.

#include "hnsw/pages/row_sample.h"

#include <algorithm>

#include "pg/memory.h"
#include "pg/parallel.h"
#include "pg/random.h"

namespace vext::hnsw {

namespace {

// Up to so many blocks are looked at, and at least so many rows of each; of few blocks more rows
// each. The mean of 128 rows is off by an eleventh of a standard deviation: vectors are longer by
// less than 0.5 % from there. More would fetch rows that lie out of line twice.
constexpr BlockNumber kMostSampledBlocks = 2000;
constexpr BlockNumber kLeastRowsOfBlock = 10;
constexpr BlockNumber kLeastSample = 128;

struct Sample {
    TakeValue take;
    void* state;
    std::size_t n_taken;
    BlockNumber n_most_of_block;
    BlockNumber step;  // one row of so many in a block
    BlockNumber n_rows_of_block;
    MemoryContext row_context;
};

void
take_row(Relation index, ItemPointer, Datum* values, bool* is_null, bool, void* state) {
    auto& sample = *static_cast<Sample*>(state);
    if (is_null[0] || sample.n_rows_of_block == sample.n_most_of_block * sample.step ||
        sample.n_rows_of_block++ % sample.step != 0)
        return;
    pg::in_context(sample.row_context, [&] {
        const IndexedValue value(index, values[0]);
        sample.n_taken += sample.take(sample.state, value) ? 1 : 0;
    });
    MemoryContextReset(sample.row_context);
}

}  // namespace

std::size_t
sample_rows(Relation heap, Relation index, IndexInfo* info, TakeValue take, void* state) {
    const BlockNumber n_blocks = RelationGetNumberOfBlocks(heap);
    const BlockNumber n_most_of_block =
        std::max(kLeastRowsOfBlock, kLeastSample / std::max<BlockNumber>(n_blocks, 1));
    const double rows_of_block = pg::estimate_rows(heap) / std::max<BlockNumber>(n_blocks, 1);
    const auto step = static_cast<BlockNumber>(
        std::clamp(rows_of_block / n_most_of_block, 1.0, double{MaxHeapTuplesPerPage}));
    Sample sample = {take, state, 0, n_most_of_block, step, 0, nullptr};
    sample.row_context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw sample", ALLOCSET_DEFAULT_SIZES);
    // A concurrent build reads by a snapshot: then there is no choice of what is visible.
    const bool any_visible = !info->ii_Concurrent;
    auto look_at = [&](BlockNumber block) {
        CHECK_FOR_INTERRUPTS();
        sample.n_rows_of_block = 0;
        table_index_build_range_scan(heap, index, info, false, any_visible, false, block, 1,
                                     take_row, &sample, nullptr);
    };
    pg::BlockSample blocks(n_blocks, kMostSampledBlocks);
    while (blocks.has_more())
        look_at(blocks.next());
    // A partial index can have its rows in few blocks.
    for (BlockNumber block = 0; block < n_blocks && sample.n_taken == 0; ++block)
        look_at(block);
    MemoryContextDelete(sample.row_context);
    return sample.n_taken;
}

}  // namespace vext::hnsw
