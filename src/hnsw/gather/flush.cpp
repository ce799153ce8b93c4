// See flush.h and ../README.md, "Gathered rows".

#include "hnsw/gather/flush.h"

#include <algorithm>

#include "hnsw/batch/crew.h"
#include "hnsw/batch/merge.h"
#include "hnsw/graph/inserter.h"
#include "hnsw/options.h"
#include "hnsw/pages/centroid.h"
#include "hnsw/pages/chain.h"
#include "hnsw/pages/create.h"
#include "hnsw/pages/page_walk.h"
#include "hnsw/pages/slots.h"
#include "pg/drain_lock.h"
#include "pg/random.h"

namespace vext::hnsw {

namespace {

using Rows = std::span<QueuedRow* const>;

// The index, opened for one flush; its codec is made anew if the index gets a centroid meanwhile.
struct Target {
    Index index;
    MemoryContext context;  // of the flush

    void
    refresh_codec() {
        if (index.has_stale_codec())
            index = pg::in_context(context, [&] { return open_index(index.relation); });
    }
};

// A batch that is larger than this part of the graph goes in alone, as does one into a graph whose
// entry point is dead: two such could not see enough of each other.
constexpr std::size_t kSmallPart = 16;

// Blocks that are looked at to tell how large the graph is.
constexpr BlockNumber kSampledBlocks = 64;

// The rows that are not done. What an interrupted flush has left of them half-way is taken away
// first: a node that is not linked may lie where no search finds it.
Rows
take_back(Index& index, Rows rows, core::Arena& arena) {
    core::Array<QueuedRow*> waiting(arena, rows.size());
    for (QueuedRow* row : rows) {
        row->is_done |= row->id == kJoinedNode;
        if (row->is_done)
            continue;
        if (row->id != kNoNode) {
            if (index.meta.needs_clean_up == 0)
                announce_clean_up(index);
            remove_row(index, row->id, row->tid);
            row->id = kNoNode;
        }
        waiting.push_back(row);
    }
    return waiting.span();
}

void
insert_one_by_one(Target& target, Rows rows, core::Arena& arena) {
    const auto ef = static_cast<std::size_t>(option_ef_construction(target.index.relation));
    Inserter* inserter = nullptr;
    for (QueuedRow* row : rows) {
        do {
            CHECK_FOR_INTERRUPTS();
            if (inserter == nullptr || inserter->is_stale()) {
                target.refresh_codec();
                inserter = arena.make<Inserter>(target.index, ef);
            }
            inserter->insert(target.index.codec->value_at(row->values), row->tid, &row->id);
        } while (inserter->is_stale());
        row->is_done = true;
    }
}

// The mean of the first rows becomes the centroid of an index that has none.
void
choose_centroid(Target& target, Rows rows) {
    Index& index = target.index;
    if (!lacks_centroid(index))
        return;
    CentroidSum sum(index.meta.metric, index.meta.n_dims());
    for (const QueuedRow* row : rows)
        sum.add({row->values, index.meta.n_dims()});
    give_centroid(index, sum);
    target.refresh_codec();
}

// With the drain lock held, exclusively if `is_alone`. False when it must be done alone.
bool
merge_rows(Target& target, const BatchPlan& plan, Rows rows, bool is_alone) {
    Index& index = target.index;
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    target.refresh_codec();
    PointStore* store = arena.make<PointStore>(index, rows.size(), chunks_of(arena));
    core::Prepared prepared = index.codec->allocate_prepared(arena);
    const std::span<NodeId*> fates = arena.allocate<NodeId*>(rows.size());
    std::uint32_t n_points = 0;
    for (QueuedRow* row : rows) {
        CHECK_FOR_INTERRUPTS();
        if (!prepare_vector(index, index.codec->value_at(row->values), prepared))
            continue;
        store->set(core::Point{n_points}, prepared, row->hash, row->tid);
        fates[n_points++] = &row->id;
    }
    BackendCrew crew(arena);
    const Batch batch = {store, n_points, pg::random_bits(), fates, is_alone};
    if (n_points > 0 && !arena.make<BatchMerger>(index, plan, batch)->merge(crew))
        return false;
    for (QueuedRow* row : rows)
        row->is_done = true;
    return true;
}

// About how many live nodes there are; most slots may be free where rows were removed.
std::size_t
estimate_nodes(const Index& index) {
    pg::BlockSample blocks(
        std::min(index.geometry.n_blocks_for(index.meta.n_slots), index.n_blocks), kSampledBlocks);
    std::size_t n_live = 0;
    std::size_t n_sampled = 0;
    while (blocks.has_more()) {
        const BlockNumber block = blocks.next();
        if (!index.geometry.is_hot_block(block))
            continue;
        CHECK_FOR_INTERRUPTS();
        n_sampled += index.geometry.hot_per_page;
        with_records_of(index, block, [&](NodeId, const std::uint8_t* record) {
            n_live += is_live_node(record) ? 1 : 0;
        });
    }
    return n_sampled == 0 ? 0 : index.n_held * n_live / n_sampled;
}

// Whether so many rows must go in alone; the metapage is as last read.
bool
must_be_alone(Index& index, std::size_t n_rows) {
    if (n_rows > index.n_held / kSmallPart || index.meta.entry_node == kNoNode ||
        n_rows > estimate_nodes(index) / kSmallPart)
        return true;
    return !with_record(index, index.meta.entry_node, is_live_node);
}

void
insert_batch(Target& target, const BatchPlan& plan, Rows rows) {
    Index& index = target.index;
    const std::uint32_t epoch = lock_current_epoch(index);
    const bool is_done =
        !must_be_alone(index, rows.size()) && merge_rows(target, plan, rows, false);
    pg::unlock_drain_shared(index.relation, epoch);
    if (is_done)
        return;
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    rows = take_back(index, rows, arena);
    if (rows.empty())
        return;
    pg::lock_drain_exclusive(index.relation);
    refresh_meta(index);
    merge_rows(target, plan, rows, true);
    pg::unlock_drain_exclusive(index.relation);
}

}  // namespace

void
insert_rows(const Index& index, std::span<QueuedRow> rows) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    Target target = {index, CurrentMemoryContext};
    core::Array<QueuedRow*> all(arena, rows.size());
    for (QueuedRow& row : rows)
        all.push_back(&row);
    const Rows waiting = take_back(target.index, all.span(), arena);
    choose_centroid(target, waiting);
    const BatchPlan plan =
        plan_batch(index, {static_cast<std::size_t>(setting_insert_batch) * 1024, 1,
                           static_cast<std::size_t>(option_ef_construction(index.relation))});
    if (waiting.size() < kSmallestBatch || plan.later_capacity < kSmallestBatch)
        return insert_one_by_one(target, waiting, arena);
    const std::size_t n_batches = (waiting.size() + plan.later_capacity - 1) / plan.later_capacity;
    for (std::size_t i = 0; i < n_batches; ++i) {
        const std::size_t first = i * waiting.size() / n_batches;
        const std::size_t end = (i + 1) * waiting.size() / n_batches;
        MemoryContext context =
            AllocSetContextCreate(target.context, "hnsw batch", ALLOCSET_DEFAULT_SIZES);
        pg::in_context(context,
                       [&] { insert_batch(target, plan, waiting.subspan(first, end - first)); });
        MemoryContextDelete(context);
    }
}

}  // namespace vext::hnsw
