// A link as it is kept in lists, in memory and on disk.

#pragma once

#include <cstdint>
#include <type_traits>

#include "core/graph/candidate.h"
#include "core/graph/select.h"

namespace vext::core {

/// The linked node's id and, in the two top bits, how it came to be linked.
template <IdType Id>
class LinkTo {
   public:
    static constexpr std::uint32_t kMostIds = (1U << 30) - 1;  ///< ids are below this

    LinkTo() = default;
    constexpr LinkTo(Id id, LinkKind kind)
        : bits_(number_of(id) | static_cast<std::uint32_t>(kind) << kKindShift) {}

    constexpr Id
    id() const {
        return Id{bits_ & ((1U << kKindShift) - 1)};
    }
    constexpr LinkKind
    kind() const {
        return static_cast<LinkKind>(bits_ >> kKindShift);
    }
    bool operator==(const LinkTo&) const = default;

   private:
    static constexpr int kKindShift = 30;

    std::uint32_t bits_;
};

using Link = LinkTo<NodeId>;

static_assert(sizeof(Link) == 4 && std::is_trivial_v<Link>);

}  // namespace vext::core
