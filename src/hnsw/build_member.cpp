// See build_member.h.

#include "hnsw/build_member.h"

#include <algorithm>

#include "core/hash.h"
#include "hnsw/options.h"

namespace vext::hnsw {

namespace {

// Rows put aside wait in memory up to this size, then in a file.
constexpr int kSpillKilobytes = 1024;

}  // namespace

BatchPlan
plan_batch(const Index& index, int n_members) {
    return plan_batch(index, {static_cast<std::size_t>(maintenance_work_mem) * 1024, n_members,
                              static_cast<std::size_t>(option_ef_construction(index.relation))});
}

BatchPlan
plan_batch(const Index& index, const BuildMeans& means) {
    BatchPlan plan = {};
    plan.options = core::batch_options(means.ef_construction, index.meta.rotation_seed);
    plan.shape = {index.meta.m, index.geometry.max_layer};
    const std::size_t largest_group = std::max(core::kMostLeaders, plan.options.largest_leaf());
    // Each member has buffers of its own.
    const std::size_t fixed =
        static_cast<std::size_t>(means.n_members) *
        (core::GroupPairs::bytes_needed(*index.codec, largest_group, 64) + (std::size_t{1} << 20));
    if (means.n_bytes <= fixed)
        return plan;
    const std::size_t record = PointStore::record_bytes(index);
    // Beside its record and the lists of the graph a point takes the ids of folding and writing.
    constexpr std::size_t kIds = 6 * sizeof(std::uint32_t);
    const std::size_t per_point =
        record + core::graph_bytes_per_point(plan.options, plan.shape, means.n_bytes / record) +
        kIds;
    plan.capacity = std::min<std::size_t>((means.n_bytes - fixed) / per_point, kMostBatch);
    return plan;
}

BuildMember::BuildMember(Index& index, const BatchPlan& plan, ChunkSource chunks,
                         pg_atomic_uint64& n_points)
    : index_(&index),
      plan_(plan),
      context_(AllocSetContextCreate(CurrentMemoryContext, "hnsw batch", ALLOCSET_DEFAULT_SIZES)),
      arena_(pg::context_arena(context_)),
      prepared_(index.codec->allocate_prepared(arena_)),
      store_(index, plan.capacity, chunks),
      n_points_(&n_points),
      spill_(kSpillKilobytes),
      row_context_(
          AllocSetContextCreate(CurrentMemoryContext, "hnsw build row", ALLOCSET_DEFAULT_SIZES)) {
}

bool
BuildMember::add_point(const Tid& tid, std::span<const float> vector) {
    if (pg_atomic_read_u64(n_points_) >= plan_.capacity)
        return false;
    if (!prepare_vector(*index_, vector, prepared_))
        return true;
    const std::uint64_t i = pg_atomic_fetch_add_u64(n_points_, 1);
    if (i >= plan_.capacity)
        return false;
    const auto point = static_cast<std::uint32_t>(i);
    index_->codec->encode(prepared_, store_.header(point), store_.code(point),
                          index_->meta.residual_bytes == 0 ? nullptr : store_.residual(point));
    store_.row(point) = {core::hash_vector(vector.data(), vector.size()), tid, 0, kNoNode};
    n_indexed_ += 1;
    return true;
}

void
BuildMember::put_aside(const Tid& tid, std::span<const float> vector) {
    pg::in_context(context_, [&] {
        spill_.add(to_item_pointer(tid),
                   {reinterpret_cast<const std::uint8_t*>(vector.data()), vector.size_bytes()});
    });
}

void
BuildMember::insert(const Tid& tid, std::span<const float> vector) {
    if (inserter_ == nullptr)
        inserter_ = pg::in_context(context_, [&] {
            return arena_.make<Inserter>(
                *index_, static_cast<std::size_t>(option_ef_construction(index_->relation)));
        });
    n_indexed_ += inserter_->insert(vector, tid) ? 1 : 0;
}

void
BuildMember::insert_put_aside() {
    spill_.for_each([&](const ItemPointerData& tid, std::span<const std::uint8_t> bytes) {
        CHECK_FOR_INTERRUPTS();
        pg::in_context(row_context_, [&] {
            // In the file the bytes are not aligned.
            auto* vector = static_cast<float*>(palloc(bytes.size()));
            std::memcpy(vector, bytes.data(), bytes.size());
            insert(to_tid(tid), {vector, bytes.size() / sizeof(float)});
        });
        MemoryContextReset(row_context_);
    });
}

}  // namespace vext::hnsw
