// The ids of nodes, apart from other numbers.

#pragma once

#include <cstddef>
#include <cstdint>

namespace vext::core {

/// A node of the graph at hand: a slot of an index, or a rank or point of a batch.
enum class NodeId : std::uint32_t {};

inline constexpr NodeId kNoNode{0xffffffff};

constexpr std::uint32_t
number_of(NodeId id) {
    return static_cast<std::uint32_t>(id);
}

/// The id that stands so many behind this one.
constexpr NodeId
operator+(NodeId id, std::size_t n) {
    return static_cast<NodeId>(number_of(id) + n);
}

/// The ids of [first, end), in order.
class IdRange {
   public:
    class Iterator {
       public:
        explicit constexpr Iterator(std::uint32_t number) : number_(number) {}

        constexpr NodeId
        operator*() const {
            return NodeId{number_};
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

    constexpr IdRange(NodeId first, NodeId end) : first_(number_of(first)), end_(number_of(end)) {}

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
constexpr IdRange
ids_below(std::size_t n) {
    return {NodeId{0}, static_cast<NodeId>(n)};
}

}  // namespace vext::core
