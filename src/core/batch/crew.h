// Those who build a batch together.
//
// Every member of a crew runs the same program and meets the others after each loop, so the text of
// the builder is the same for one member in a unit test and for the server's parallel workers.
// Members are processes: an area that they share lies at another address in each, so shared areas
// hold no pointers.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/arena.h"
#include "core/array.h"
#include "core/node_id.h"

namespace vext::core {

/// What a loop is for, as told to whoever watches a build.
enum class Phase : std::uint8_t { kPartitioning, kLinking, kSelecting };

/// What the builder asks of a crew; a model has these members:
///
///   void for_each(std::size_t n_tasks, F&& task)
///       calls task(i) for each i below n_tasks, each by one member; returns when all are done
///   void alone(F&& work)
///       one member works, the others wait for it
///   static void pause()
///       called now and then by long work: may not return
///   void* allocate(std::size_t n_bytes)
///       a shared, zeroed area, the same for all members; n_bytes at most kMostAreaBytes
///   void report(Phase phase, std::size_t n_points)
///       the next loop belongs to this phase and is for so many points
///
/// All members call them in the same order with the same arguments.
inline constexpr std::size_t kMostAreaBytes = std::size_t{256} << 20;

/// A crew of one.
class SerialCrew {
   public:
    explicit SerialCrew(Arena& arena) : arena_(&arena) {}

    template <typename Task>
    void
    for_each(std::size_t n_tasks, Task&& task) {
        for (std::size_t i = 0; i < n_tasks; ++i)
            task(i);
    }

    template <typename Work>
    void
    alone(Work&& work) {
        work();
    }

    static void
    pause() {}

    static void
    report(Phase, std::size_t) {}

    void*
    allocate(std::size_t n_bytes) {
        return arena_->allocate_zeroed<std::uint8_t>(n_bytes).data();
    }

   private:
    Arena* arena_;
};

/// A shared array of `n`. Requires: it fits kMostAreaBytes.
template <typename T, typename Crew>
std::span<T>
allocate_shared(Crew& crew, std::size_t n) {
    return {static_cast<T*>(crew.allocate(n * sizeof(T))), n};
}

/// A shared array of any size: a row of `width` elements for each id, in areas of a power of two of
/// rows each.
template <IdType Id, typename T>
class Rows {
   public:
    template <typename Crew>
    Rows(Crew& crew, Arena& local, std::size_t n_rows, std::size_t width)
        : width_(width), row_bytes_(width * sizeof(T)) {
        while (n_rows > std::size_t{1} << shift_ && row_bytes_ << (shift_ + 1) <= kMostAreaBytes)
            ++shift_;
        const std::size_t per_area = std::size_t{1} << shift_;
        areas_ = local.allocate<std::uint8_t*>((n_rows + per_area - 1) / per_area);
        for (std::size_t i = 0; i < areas_.size(); ++i) {
            const std::size_t n = std::min(n_rows - i * per_area, per_area);
            areas_[i] = static_cast<std::uint8_t*>(crew.allocate(n * row_bytes_));
        }
    }

    /// The memory of other rows, once they are no longer needed. Requires: `width` elements fit
    /// into one of theirs.
    template <typename U>
    Rows(const Rows<Id, U>& other, std::size_t width)
        : areas_(other.areas_), width_(width), row_bytes_(other.row_bytes_), shift_(other.shift_) {
        static_assert(alignof(T) <= alignof(U));
    }

    std::span<T>
    operator[](Id id) const {
        const std::size_t row = number_of(id);
        const std::size_t position = row & ((std::size_t{1} << shift_) - 1);
        return {reinterpret_cast<T*>(areas_[row >> shift_] + position * row_bytes_), width_};
    }
    std::size_t
    width() const {
        return width_;
    }

   private:
    template <IdType OtherId, typename U>
    friend class Rows;

    std::span<std::uint8_t*> areas_;
    std::size_t width_;
    std::size_t row_bytes_;
    unsigned shift_ = 0;
};

}  // namespace vext::core
