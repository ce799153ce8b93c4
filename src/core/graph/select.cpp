// See select.h.

#include "core/graph/select.h"

namespace vext::core {

namespace {

// Whether `a` gives way before `b`: fillers before diverse links, the farthest of a kind first.
bool
gives_way(LinkKind a_kind, float a_to_base, LinkKind b_kind, float b_to_base) {
    if (a_kind != b_kind)
        return a_kind == LinkKind::kFiller;
    return a_to_base > b_to_base;
}

// The position of the link that gives way first, or kNobody when all are kept.
int
find_weakest(std::span<const RatedLink> links) {
    int weakest = Replacement::kNobody;
    for (std::size_t i = 0; i < links.size(); ++i) {
        if (is_kept(links[i].kind))
            continue;
        const RatedLink* worst = weakest < 0 ? nullptr : &links[static_cast<std::size_t>(weakest)];
        if (worst == nullptr ||
            gives_way(links[i].kind, links[i].to_base, worst->kind, worst->to_base))
            weakest = static_cast<int>(i);
    }
    return weakest;
}

}  // namespace

LinkKind
rate_link(std::span<RatedLink> links, float new_to_base, float margin) {
    const float limit = occlusion_limit(new_to_base, 0, margin);
    for (const RatedLink& link : links)
        if (link.kind != LinkKind::kFiller && link.to_base <= new_to_base && link.to_new < limit)
            return LinkKind::kFiller;
    for (RatedLink& link : links)
        if (link.kind == LinkKind::kDiverse && link.to_base > new_to_base &&
            link.to_new < occlusion_limit(link.to_base, 0, margin))
            link.kind = LinkKind::kFiller;
    return LinkKind::kDiverse;
}

Replacement
replace_link(std::span<RatedLink> links, float new_to_base, float margin) {
    const LinkKind kind = rate_link(links, new_to_base, margin);
    const int weakest = find_weakest(links);
    if (weakest != Replacement::kNobody) {
        const RatedLink& link = links[static_cast<std::size_t>(weakest)];
        if (!gives_way(kind, new_to_base, link.kind, link.to_base))
            return {weakest, kind};
    }
    return {Replacement::kNobody, kind};
}

Replacement
replace_by_anchor(std::span<RatedLink> links, float new_to_base, float margin) {
    rate_link(links, new_to_base, margin);
    return {find_weakest(links), LinkKind::kAnchor};
}

}  // namespace vext::core
