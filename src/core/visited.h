// The set of node ids that a search has met: open addressing over an arena, cleared at once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/node_id.h"

namespace vext::core {

class VisitedSet {
   public:
    /// Requires: `expected` at most 2^30. Grows when more than half full.
    VisitedSet(Arena& arena, std::size_t expected) : arena_(&arena) {
        std::size_t n_slots = kSmallest;
        while (n_slots < 2 * expected)
            n_slots *= 2;
        slots_ = arena.allocate<NodeId>(n_slots);
        clear();
    }

    std::size_t
    size() const {
        return size_;
    }
    std::size_t
    n_bytes() const {
        return slots_.size_bytes();
    }

    void
    clear() {
        std::memset(slots_.data(), 0xff, slots_.size_bytes());
        size_ = 0;
    }

    /// Adds `id`; returns whether it was new. Requires: id is not kNoNode.
    bool
    add(NodeId id) {
        NodeId* slot = find(id);
        if (*slot == id)
            return false;
        *slot = id;
        if (++size_ * 2 > slots_.size())
            grow();
        return true;
    }

    bool
    has(NodeId id) const {
        return *find(id) == id;
    }

   private:
    static constexpr std::size_t kSmallest = 64;

    NodeId*
    find(NodeId id) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t i = (number_of(id) * 0x9e3779b1U >> 7) & mask;
        while (slots_[i] != id && slots_[i] != kNoNode)
            i = (i + 1) & mask;
        return &slots_[i];
    }

    void
    grow() {
        const std::span<NodeId> old = slots_;
        slots_ = arena_->allocate<NodeId>(2 * old.size());
        std::memset(slots_.data(), 0xff, slots_.size_bytes());
        for (const NodeId id : old)
            if (id != kNoNode)
                *find(id) = id;
    }

    Arena* arena_;
    std::span<NodeId> slots_;
    std::size_t size_ = 0;
};

static_assert(std::is_trivially_destructible_v<VisitedSet>);

}  // namespace vext::core
