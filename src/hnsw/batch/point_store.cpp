// See point_store.h.

#include "hnsw/batch/point_store.h"

#include <algorithm>
#include <bit>

#include "core/hash.h"

namespace vext::hnsw {

namespace {

constexpr std::size_t
round_up_to_4(std::size_t n) {
    return (n + 3) / 4 * 4;
}

}  // namespace

ChunkSource
chunks_of(core::Arena& arena) {
    const auto allocate = [](void* state, std::uint32_t, std::size_t n_bytes) {
        return static_cast<core::Arena*>(state)->allocate_zeroed<std::uint8_t>(n_bytes).data();
    };
    return {allocate, &arena, kUsualChunkBytes};
}

PointStore::PointStore(const Index& index, std::size_t capacity, ChunkSource source)
    : index_(&index),
      capacity_(capacity),
      residual_offset_(core::point_stride(*index.codec)),
      row_offset_(residual_offset_ + round_up_to_4(index.meta.residual_bytes)),
      stride_(row_offset_ + sizeof(PointRow)),
      chunk_shift_(core::chunk_shift_for(stride_, source.most_bytes)),
      source_(source) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    chunks_ = arena.allocate_zeroed<std::uint8_t*>((capacity >> chunk_shift_) + 1);
}

std::size_t
PointStore::record_bytes(const Index& index) {
    return core::point_stride(*index.codec) + round_up_to_4(index.meta.residual_bytes) +
           sizeof(PointRow);
}

std::uint8_t*
PointStore::record(core::Point point) {
    const std::uint32_t i = number_of(point);
    std::uint8_t*& chunk = chunks_[i >> chunk_shift_];
    if (chunk == nullptr) {
        const std::size_t n_points =
            std::min(std::size_t{1} << chunk_shift_,
                     capacity_ - (static_cast<std::size_t>(i >> chunk_shift_) << chunk_shift_));
        chunk = source_.chunk(source_.state, i >> chunk_shift_, n_points * stride_);
    }
    return chunk + (i & ((1U << chunk_shift_) - 1)) * stride_;
}

void
PointStore::set(core::Point point, const core::Prepared& prepared, std::uint32_t hash,
                const Tid& tid) {
    index_->codec->encode(prepared, header(point), code(point),
                          index_->meta.residual_bytes == 0 ? nullptr : residual(point));
    row(point) = {hash, tid, 0, core::kNoPoint};
}

core::PointView
PointStore::view(std::size_t n) {
    for (std::size_t i = 0; i < n; i += std::size_t{1} << chunk_shift_)
        record(static_cast<core::Point>(i));
    return {index_->codec, n, stride_, chunk_shift_, chunks_.data()};
}

bool
PointStore::are_equal(core::Point a, core::Point b) {
    return row(a).hash == row(b).hash && header(a).factor == header(b).factor &&
           header(a).offset == header(b).offset &&
           std::memcmp(code(a), code(b), index_->meta.code_bytes) == 0 &&
           std::memcmp(residual(a), residual(b), index_->meta.residual_bytes) == 0;
}

std::size_t
PointStore::fold_equal(std::size_t n, std::span<core::Point> distinct) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    const std::size_t n_slots = std::bit_ceil(2 * n + 1);
    const std::span<core::Point> slots = arena.allocate<core::Point>(n_slots);
    std::fill(slots.begin(), slots.end(), core::kNoPoint);
    std::size_t n_distinct = 0;
    for (const core::Point point : core::ids_below<core::Point>(n)) {
        CHECK_FOR_INTERRUPTS();
        std::size_t slot = core::mix64(row(point).hash) & (n_slots - 1);
        while (slots[slot] != core::kNoPoint && !are_equal(slots[slot], point))
            slot = (slot + 1) & (n_slots - 1);
        row(point).next_equal = core::kNoPoint;
        row(point).is_folded = slots[slot] != core::kNoPoint;
        if (slots[slot] == core::kNoPoint) {
            slots[slot] = point;
            distinct[n_distinct++] = point;
        } else {
            PointRow& first = row(slots[slot]);
            row(point).next_equal = first.next_equal;
            first.next_equal = point;
        }
    }
    return n_distinct;
}

}  // namespace vext::hnsw
