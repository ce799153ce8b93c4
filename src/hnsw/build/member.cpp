// See member.h.

#include "hnsw/build/member.h"

#include <algorithm>

#include "core/hash.h"
#include "hnsw/options.h"

namespace vext::hnsw {

BuildMember::BuildMember(Index& index, const BatchPlan& plan, ChunkSource chunks,
                         pg_atomic_uint64& n_points)
    : index_(&index),
      plan_(plan),
      context_(AllocSetContextCreate(CurrentMemoryContext, "hnsw batch", ALLOCSET_DEFAULT_SIZES)),
      arena_(pg::context_arena(context_)),
      prepared_(index.codec->allocate_prepared(arena_)),
      store_(index, plan.capacity, chunks),
      n_points_(&n_points),
      row_context_(
          AllocSetContextCreate(CurrentMemoryContext, "hnsw build row", ALLOCSET_DEFAULT_SIZES)) {
}

bool
BuildMember::add_point(const Tid& tid, std::span<const float> vector) {
    const std::size_t capacity = is_first_ ? plan_.capacity : plan_.later_capacity;
    if (pg_atomic_read_u64(n_points_) >= capacity)
        return false;
    if (!prepare_vector(*index_, vector, prepared_))
        return true;
    const std::uint64_t i = pg_atomic_fetch_add_u64(n_points_, 1);
    if (i >= capacity)
        return false;
    store_.set(static_cast<core::Point>(i), prepared_,
               core::hash_vector(vector.data(), vector.size()), tid);
    n_indexed_ += 1;
    return true;
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

}  // namespace vext::hnsw
