// The two numbers of a vector in a batch: its point and, on each layer that it is on, its rank.
//
// A point is a place in the PointView. The points of a layer are ranked, that is ascending: a rank
// is a place among them. Neither turns into the other but by RankedPoints. Other places, as in a
// leaf or in leaf order, are plain integers.
//
// core/graph knows nodes alone. A search of the layers walks points, links are chosen among ranks:
// to_node() goes in there, to_point() or to_rank() comes out.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/node_id.h"

namespace vext::core {

enum class Point : std::uint32_t {};
enum class Rank : std::uint32_t {};

inline constexpr Point kNoPoint{0xffffffff};
inline constexpr Rank kNoRank{0xffffffff};

constexpr NodeId
to_node(Point point) {
    return NodeId{number_of(point)};
}
constexpr NodeId
to_node(Rank rank) {
    return NodeId{number_of(rank)};
}
constexpr Point
to_point(NodeId id) {
    return Point{number_of(id)};
}
constexpr Rank
to_rank(NodeId id) {
    return Rank{number_of(id)};
}

/// A span with an element for each id of one kind.
template <IdType Id, typename T>
class IdSpan {
   public:
    IdSpan() = default;
    template <typename Elements>
    requires std::is_convertible_v<Elements, std::span<T>>
    IdSpan(Elements&& elements) : elements_(elements) {}
    template <typename U>
    requires std::is_convertible_v<std::span<U>, std::span<T>>
    IdSpan(const IdSpan<Id, U>& other) : elements_(other.span()) {}

    T&
    operator[](Id id) const {
        return elements_[number_of(id)];
    }
    std::size_t
    size() const {
        return elements_.size();
    }
    bool
    is_empty() const {
        return elements_.empty();
    }
    IdRange<Id>
    ids() const {
        return ids_below<Id>(size());
    }
    std::span<T>
    span() const {
        return elements_;
    }

   private:
    std::span<T> elements_;
};

/// The points of a layer, in ascending order, by rank.
class RankedPoints : public IdSpan<Rank, const Point> {
   public:
    using IdSpan<Rank, const Point>::IdSpan;

    bool
    has(Point point) const {
        return std::binary_search(span().begin(), span().end(), point);
    }

    /// Requires: it is one of them.
    Rank
    rank_of(Point point) const {
        const Rank same{number_of(point)};
        if (number_of(same) < size() && (*this)[same] == point)
            return same;  // the layer of all points
        const auto place = std::lower_bound(span().begin(), span().end(), point);
        return static_cast<Rank>(place - span().begin());
    }
};

static_assert(std::is_trivially_copyable_v<RankedPoints>);

}  // namespace vext::core
