// Memory for code that must not own any: an arena hands out bytes and takes none back one by one.
//
// The core never calls malloc or new. In the server an arena is a memory context (pg/memory.h); in
// unit tests it is a list of blocks. Everything allocated lives until the owner is reset.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>  // placement only: nothing is allocated by it
#include <span>
#include <type_traits>
#include <utility>

namespace vext::core {

class Arena {
   public:
    /// Returns `n_bytes` bytes aligned to kAlignment; never null: a request that cannot be met is
    /// refused by the owner (an error in the server, an abort in tests).
    using AllocateFunction = void* (*)(void* owner, std::size_t n_bytes);

    static constexpr std::size_t kAlignment = 64;

    constexpr Arena(void* owner, AllocateFunction allocate) : owner_(owner), allocate_(allocate) {}

    /// An uninitialised array of `n` elements. A size that overflows is asked for as SIZE_MAX,
    /// which every owner refuses.
    template <typename T>
    std::span<T>
    allocate(std::size_t n) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlignment);
        std::size_t n_bytes = 0;
        if (__builtin_mul_overflow(n, sizeof(T), &n_bytes))
            n_bytes = std::numeric_limits<std::size_t>::max();
        return {static_cast<T*>(allocate_(owner_, n_bytes)), n};
    }

    template <typename T>
    std::span<T>
    allocate_zeroed(std::size_t n) {
        std::span<T> elements = allocate<T>(n);
        __builtin_memset(elements.data(), 0, elements.size_bytes());
        return elements;
    }

    /// A new T made from `arguments`; it is never destroyed.
    template <typename T, typename... Arguments>
    T*
    make(Arguments&&... arguments) {
        return new (allocate<T>(1).data()) T(std::forward<Arguments>(arguments)...);
    }

   private:
    void* owner_;
    AllocateFunction allocate_;
};

static_assert(std::is_trivially_destructible_v<Arena>);

}  // namespace vext::core
