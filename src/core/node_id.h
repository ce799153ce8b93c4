// Ids apart from each other and from other numbers: what kinds of them have in common, and the ids
// of nodes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace vext::core {

/// A kind of ids: an enum of its own, so that none is taken for one of another kind.
template <typename T>
concept IdType = std::is_enum_v<T> && std::is_same_v<std::underlying_type_t<T>, std::uint32_t>;

/// A node of the graph at hand: a slot of an index; where core/graph is asked about a batch, a
/// point or rank of it (core/batch/ids.h).
enum class NodeId : std::uint32_t {};

inline constexpr NodeId kNoNode{0xffffffff};

template <IdType Id>
constexpr std::uint32_t
number_of(Id id) {
    return static_cast<std::uint32_t>(id);
}

/// The id that stands so many behind this one.
template <IdType Id>
constexpr Id
operator+(Id id, std::size_t n) {
    return static_cast<Id>(number_of(id) + n);
}

/// The ids of [first, end), in order.
template <IdType Id>
class IdRange {
   public:
    class Iterator {
       public:
        explicit constexpr Iterator(std::uint32_t number) : number_(number) {}

        constexpr Id
        operator*() const {
            return Id{number_};
        }
        constexpr Iterator&
        operator++() {
            ++number_;
            return *this;
        }
        bool operator==(const Iterator&) const = default;

       private:
        std::uint32_t number_;
    };

    constexpr IdRange(Id first, Id end) : first_(number_of(first)), end_(number_of(end)) {}

    constexpr Iterator
    begin() const {
        return Iterator(first_);
    }
    constexpr Iterator
    end() const {
        return Iterator(end_);
    }

   private:
    std::uint32_t first_;
    std::uint32_t end_;
};

/// The first `n` ids.
template <IdType Id = NodeId>
constexpr IdRange<Id>
ids_below(std::size_t n) {
    return {Id{0}, static_cast<Id>(n)};
}

}  // namespace vext::core
