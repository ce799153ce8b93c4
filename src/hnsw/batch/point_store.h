// The rows of a batch while it is built: code, residual and heap TID of each, in chunks.
//
// Rows with equal vectors are folded into one point: the first stands for all, the others hang on
// it in a list.

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/batch/crew.h"
#include "core/batch/ids.h"
#include "core/batch/points.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// Where the chunks of a store come from: a memory context, or shared memory.
struct ChunkSource {
    /// The chunk's `n_bytes` bytes in this process, made at first use.
    std::uint8_t* (*chunk)(void* state, std::uint32_t number, std::size_t n_bytes);
    void* state;
    std::size_t most_bytes;  ///< of a chunk
};

/// Chunks need not be larger: a small build should not take a large one.
inline constexpr std::size_t kUsualChunkBytes = std::size_t{32} << 20;
static_assert(kUsualChunkBytes <= core::kMostAreaBytes);

/// Chunks in the memory of this backend, from `arena`, which outlives the store.
ChunkSource chunks_of(core::Arena& arena);

/// What a record holds behind header, code and residual.
struct PointRow {
    std::uint32_t hash;
    Tid tid;
    std::uint16_t is_folded;  ///< another point stands for it
    core::Point next_equal;   ///< the next row of the same vector, or core::kNoPoint
};
static_assert(sizeof(PointRow) == 16);

/// One process's view of the store; the points themselves may be shared.
class PointStore {
   public:
    PointStore(const Index& index, std::size_t capacity, ChunkSource source);

    /// Bytes of a point's record.
    static std::size_t record_bytes(const Index& index);

    std::size_t
    capacity() const {
        return capacity_;
    }

    /// The points with numbers below `n` as the core sees them.
    core::PointView view(std::size_t n);

    // The parts of a point's record.
    core::CodeHeader&
    header(core::Point point) {
        return *reinterpret_cast<core::CodeHeader*>(record(point));
    }
    std::uint8_t*
    code(core::Point point) {
        return record(point) + sizeof(core::CodeHeader);
    }
    std::uint8_t*
    residual(core::Point point) {
        return record(point) + residual_offset_;
    }
    PointRow&
    row(core::Point point) {
        return *reinterpret_cast<PointRow*>(record(point) + row_offset_);
    }

    /// Makes the point a row of a vector that was kReady.
    void set(core::Point point, const core::Prepared& prepared, std::uint32_t hash, const Tid& tid);

    VectorContent
    content(core::Point point) {
        return {row(point).hash,
                header(point),
                code(point),
                {residual(point), index_->meta.residual_bytes}};
    }

    /// Folds equal vectors among the first `n` points and writes those that stand for themselves,
    /// in ascending order. Returns their number. Memory: 12 bytes a point.
    std::size_t fold_equal(std::size_t n, std::span<core::Point> distinct);

   private:
    std::uint8_t* record(core::Point point);
    bool are_equal(core::Point a, core::Point b);

    const Index* index_;
    std::size_t capacity_;
    std::size_t residual_offset_;
    std::size_t row_offset_;
    std::size_t stride_;
    unsigned chunk_shift_;
    ChunkSource source_;
    std::span<std::uint8_t*> chunks_;  // null where not yet asked for
};

static_assert(std::is_trivially_destructible_v<PointStore>);

}  // namespace vext::hnsw
