// One bit per id, over an arena.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/node_id.h"

namespace vext::core {

class Bitmap {
   public:
    /// All bits clear.
    Bitmap(Arena& arena, std::size_t n_bits)
        : words_(arena.allocate_zeroed<std::uint64_t>((n_bits + 63) / 64)), n_bits_(n_bits) {}

    std::size_t
    size() const {
        return n_bits_;
    }
    /// Requires: i < size(), here and below.
    void
    set(std::size_t i) {
        words_[i / 64] |= std::uint64_t{1} << (i % 64);
    }
    void
    clear(std::size_t i) {
        words_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
    }
    void
    clear_all() {
        std::fill(words_.begin(), words_.end(), 0);
    }
    bool
    has(std::size_t i) const {
        return (words_[i / 64] >> (i % 64) & 1) != 0;
    }

    /// Whether there is a bit for the node: then it may be asked about, here and below.
    bool
    covers(NodeId id) const {
        return number_of(id) < n_bits_;
    }
    template <IdType Id>
    void
    set(Id id) {
        set(std::size_t{number_of(id)});
    }
    template <IdType Id>
    void
    clear(Id id) {
        clear(std::size_t{number_of(id)});
    }
    template <IdType Id>
    bool
    has(Id id) const {
        return has(std::size_t{number_of(id)});
    }

    std::size_t
    count() const {
        std::size_t n = 0;
        for (const std::uint64_t word : words_)
            n += static_cast<std::size_t>(std::popcount(word));
        return n;
    }

   private:
    std::span<std::uint64_t> words_;
    std::size_t n_bits_;
};

static_assert(std::is_trivially_destructible_v<Bitmap>);

}  // namespace vext::core
