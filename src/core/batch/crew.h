// Those who build a batch together.
//
// Every member of a crew runs the same program and meets the others after each loop, so the text of
// the builder is the same for one member in a unit test and for the server's parallel workers.
// Members are processes: an area that they share lies at another address in each, so shared areas
// hold no pointers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/arena.h"
#include "core/array.h"

namespace vext::core {

/// What the builder asks of a crew; a model has these members:
///   void for_each(std::size_t n_tasks, F&& task)   calls task(i) for each i below n_tasks, each by
///   one
///                                                  member; returns when all tasks are done
///   void alone(F&& work)                           one member works, the others wait for it
///   void* allocate(std::size_t n_bytes)            a shared, zeroed area, the same for all
///   members;
///                                                  n_bytes at most kMostAreaBytes
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

/// A shared array of any size: rows of `width` elements, in areas of a power of two of rows each.
template <typename T>
class Rows {
   public:
    template <typename Crew>
    Rows(Crew& crew, Arena& local, std::size_t n_rows, std::size_t width) : width_(width) {
        while (n_rows > std::size_t{1} << shift_ &&
               (width * sizeof(T)) << (shift_ + 1) <= kMostAreaBytes)
            ++shift_;
        const std::size_t per_area = std::size_t{1} << shift_;
        areas_ = local.allocate<T*>((n_rows + per_area - 1) / per_area);
        for (std::size_t i = 0; i < areas_.size(); ++i) {
            const std::size_t n =
                n_rows - i * per_area < per_area ? n_rows - i * per_area : per_area;
            areas_[i] = static_cast<T*>(crew.allocate(n * width * sizeof(T)));
        }
    }

    std::span<T>
    operator[](std::size_t row) const {
        const std::size_t position = row & ((std::size_t{1} << shift_) - 1);
        return {areas_[row >> shift_] + position * width_, width_};
    }
    std::size_t
    width() const {
        return width_;
    }

   private:
    std::span<T*> areas_;
    std::size_t width_;
    unsigned shift_ = 0;
};

}  // namespace vext::core
