// Memory that the members of a parallel build share, in segments of the size that is asked for: the
// server's dynamic areas double theirs, and would take half as much again as a build may.
//
// A segment goes when the last process that is attached lets it go; an error lets go of all that
// the process has, with its resource owner. Small areas share segments, of which a server has only
// so many.

#pragma once

#include <cstddef>
#include <cstdint>

#include "core/array.h"
#include "pg/parallel.h"

namespace vext::hnsw {

/// Where an area is, for every process.
struct SharedArea {
    dsm_handle segment;
    std::uint32_t offset;
};

/// One process's part: the areas it has made, and its addresses of those of others.
class SharedAreas {
   public:
    /// `n_making` counts the members that ask for memory at this moment: if it is not 0 after an
    /// error, the memory may have run out. Memory of its own from `arena`.
    SharedAreas(core::Arena& arena, pg_atomic_uint32& n_making)
        : n_making_(&n_making), segments_(arena), blocks_(arena) {}

    /// Makes an area of zeroed memory, between canaries. An error if there is too little.
    SharedArea make(std::size_t n_bytes);

    /// The same in a segment of its own.
    SharedArea make_large(std::size_t n_bytes);

    /// The area in this process. Requires: a process that is attached still is.
    std::uint8_t* address(const SharedArea& area);

    /// Lets go of all areas.
    void release();

   private:
    // Areas smaller than a fourth of this lie together in a segment of this size.
    static constexpr std::size_t kSmallSegment = std::size_t{1} << 20;

    dsm_segment* make_segment(std::size_t n_bytes);
    SharedArea place(dsm_segment* segment, std::size_t offset, std::size_t n_bytes);

    pg_atomic_uint32* n_making_;
    core::Array<dsm_segment*> segments_;  // to which this process is attached
    core::Array<std::uint8_t*> blocks_;   // of the areas made here
    dsm_segment* small_ = nullptr;        // the last segment of small areas made here
    std::size_t n_used_ = 0;              // bytes of it
};

static_assert(std::is_trivially_destructible_v<SharedAreas>);

}  // namespace vext::hnsw
