// See select.h.

#include "core/graph/select.h"

namespace vext::core {

LinkKind
rate_link(std::span<RatedLink> links, float new_to_base) {
    for (const RatedLink& link : links)
        if (link.kind == LinkKind::kDiverse && link.to_base <= new_to_base &&
            link.to_new < new_to_base)
            return LinkKind::kFiller;
    for (RatedLink& link : links)
        if (link.to_base > new_to_base && link.to_new < link.to_base)
            link.kind = LinkKind::kFiller;
    return LinkKind::kDiverse;
}

Replacement
replace_link(std::span<RatedLink> links, float new_to_base, bool must_accept) {
    const LinkKind kind = rate_link(links, new_to_base);
    // Fillers before diverse links, and the farthest of a kind first.
    int victim = Replacement::kNobody;
    LinkKind victim_kind = kind;
    float farthest = new_to_base;
    bool has_victim = !must_accept;
    for (std::size_t i = 0; i < links.size(); ++i) {
        const RatedLink& link = links[i];
        const bool is_worse =
            link.kind == victim_kind ? link.to_base > farthest : link.kind == LinkKind::kFiller;
        if (!has_victim || is_worse) {
            victim = static_cast<int>(i);
            victim_kind = link.kind;
            farthest = link.to_base;
            has_victim = true;
        }
    }
    return {victim, kind};
}

}  // namespace vext::core
