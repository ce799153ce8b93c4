// See shared_areas.h.

#include "hnsw/batch/shared_areas.h"

namespace vext::hnsw {

dsm_segment*
SharedAreas::make_segment(std::size_t n_bytes) {
    segments_.reserve(segments_.size() + 1);
    pg_atomic_fetch_add_u32(n_making_, 1);
    dsm_segment* segment = pg::make_segment(n_bytes);
    pg_atomic_fetch_sub_u32(n_making_, 1);
    segments_.push_back(segment);
    return segment;
}

SharedArea
SharedAreas::place(dsm_segment* segment, std::size_t offset, std::size_t n_bytes) {
    auto* block = static_cast<std::uint8_t*>(dsm_segment_address(segment)) + offset;
    pg::put_canaries(block, n_bytes);
    blocks_.push_back(block);
    return {dsm_segment_handle(segment), static_cast<std::uint32_t>(offset)};
}

SharedArea
SharedAreas::make_large(std::size_t n_bytes) {
    return place(make_segment(n_bytes + pg::kAroundArea), 0, n_bytes);
}

SharedArea
SharedAreas::make(std::size_t n_bytes) {
    const std::size_t n_block = TYPEALIGN(core::Arena::kAlignment, n_bytes + pg::kAroundArea);
    if (n_block >= kSmallSegment / 4)
        return make_large(n_bytes);
    if (small_ == nullptr || n_used_ + n_block > kSmallSegment) {
        small_ = make_segment(kSmallSegment);
        n_used_ = 0;
    }
    n_used_ += n_block;
    return place(small_, n_used_ - n_block, n_bytes);
}

std::uint8_t*
SharedAreas::address(const SharedArea& area) {
    dsm_segment* segment = nullptr;
    for (dsm_segment* attached : segments_.span())
        if (dsm_segment_handle(attached) == area.segment)
            segment = attached;
    if (segment == nullptr) {
        segments_.reserve(segments_.size() + 1);
        pg_atomic_fetch_add_u32(n_making_, 1);
        segment = pg::attach_segment(area.segment);
        pg_atomic_fetch_sub_u32(n_making_, 1);
        segments_.push_back(segment);
    }
    return static_cast<std::uint8_t*>(dsm_segment_address(segment)) + area.offset +
           pg::kCanaryBytes;
}

void
SharedAreas::release() {
    for (const std::uint8_t* block : blocks_.span())
        pg::check_canaries(block);
    for (dsm_segment* segment : segments_.span())
        dsm_detach(segment);
    blocks_.clear();
    segments_.clear();
    small_ = nullptr;
}

}  // namespace vext::hnsw
