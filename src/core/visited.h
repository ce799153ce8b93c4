// The set of node ids that a search has met: open addressing over an arena, cleared at once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/arena.h"

namespace vext::core {

class VisitedSet {
   public:
    /// Requires: `expected` at most 2^30. Grows when more than half full.
    VisitedSet(Arena& arena, std::size_t expected) : arena_(&arena) {
        std::size_t n_slots = kSmallest;
        while (n_slots < 2 * expected)
            n_slots *= 2;
        slots_ = arena.allocate<std::uint32_t>(n_slots);
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

    /// Adds `id`; returns whether it was new. Requires: id is not 2^32 - 1.
    bool
    add(std::uint32_t id) {
        std::uint32_t* slot = find(id);
        if (*slot == id)
            return false;
        *slot = id;
        if (++size_ * 2 > slots_.size())
            grow();
        return true;
    }

    bool
    has(std::uint32_t id) const {
        return *find(id) == id;
    }

   private:
    static constexpr std::size_t kSmallest = 64;
    static constexpr std::uint32_t kEmpty = 0xffffffff;

    std::uint32_t*
    find(std::uint32_t id) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t i = (id * 0x9e3779b1U >> 7) & mask;
        while (slots_[i] != id && slots_[i] != kEmpty)
            i = (i + 1) & mask;
        return &slots_[i];
    }

    void
    grow() {
        const std::span<std::uint32_t> old = slots_;
        slots_ = arena_->allocate<std::uint32_t>(2 * old.size());
        std::memset(slots_.data(), 0xff, slots_.size_bytes());
        for (const std::uint32_t id : old)
            if (id != kEmpty)
                *find(id) = id;
    }

    Arena* arena_;
    std::span<std::uint32_t> slots_;
    std::size_t size_ = 0;
};

static_assert(std::is_trivially_destructible_v<VisitedSet>);

}  // namespace vext::core
