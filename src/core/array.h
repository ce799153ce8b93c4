// A growing array over an arena.
//
// Growth allocates a new block and leaves the old one to the arena, and at least doubles it, so
// that all blocks together are at most four times what was needed at the end. Elements are trivial:
// they are copied with memcpy and never destroyed.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/arena.h"

namespace vext::core {

template <typename T>
class Array {
   public:
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

    explicit Array(Arena& arena, std::size_t capacity = 0)
        : arena_(&arena), elements_(arena.allocate<T>(capacity)) {}

    std::size_t
    size() const {
        return size_;
    }
    bool
    is_empty() const {
        return size_ == 0;
    }
    T*
    begin() {
        return elements_.data();
    }
    T*
    end() {
        return elements_.data() + size_;
    }
    const T*
    begin() const {
        return elements_.data();
    }
    const T*
    end() const {
        return elements_.data() + size_;
    }
    T&
    operator[](std::size_t i) {
        return elements_[i];
    }
    const T&
    operator[](std::size_t i) const {
        return elements_[i];
    }
    T&
    back() {
        return elements_[size_ - 1];
    }
    std::span<T>
    span() {
        return elements_.first(size_);
    }
    std::span<const T>
    span() const {
        return elements_.first(size_);
    }

    void
    clear() {
        size_ = 0;
    }
    void
    pop_back() {
        --size_;
    }

    /// Keeps the first `n` elements. Requires: n <= size().
    void
    truncate(std::size_t n) {
        size_ = n;
    }

    /// The elements that the next push_back allocates: 0 while there is room.
    std::size_t
    next_growth() const {
        return size_ < elements_.size() ? 0 : std::max<std::size_t>(16, 2 * size_);
    }

    void
    push_back(const T& value) {
        if (size_ == elements_.size())
            reserve(next_growth());
        elements_[size_++] = value;
    }

    void
    reserve(std::size_t capacity) {
        if (capacity <= elements_.size())
            return;
        std::span<T> larger = arena_->allocate<T>(std::max(capacity, 2 * elements_.size()));
        if (size_ > 0)
            std::memcpy(larger.data(), elements_.data(), size_ * sizeof(T));
        elements_ = larger;
    }

   private:
    Arena* arena_;
    std::span<T> elements_;
    std::size_t size_ = 0;
};

static_assert(std::is_trivially_destructible_v<Array<int>>);

}  // namespace vext::core
