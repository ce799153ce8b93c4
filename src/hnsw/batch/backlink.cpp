// See backlink.h.

#include "hnsw/batch/backlink.h"

#include <algorithm>

#include "hnsw/pages/link_list.h"
#include "hnsw/pages/slots.h"

namespace vext::hnsw {

namespace {

// A list that others changed in between is decided about anew, so often.
constexpr int kTries = 3;

// The wishes at the front whose neighbours have ids below `end`.
std::span<const BackLinkWish>
wishes_below(std::span<const BackLinkWish> wishes, NodeId end) {
    std::size_t n = 0;
    while (n < wishes.size() && wishes[n].neighbour.id < end)
        ++n;
    return wishes.first(n);
}

}  // namespace

BatchBackLinker::BatchBackLinker(Index& index, PointStore& store, PageGraph& graph,
                                 core::Query& query, core::Arena& arena)
    : index_(&index),
      store_(&store),
      query_(&query),
      edit_(index, graph, arena),
      wishes_(arena, 1024),
      planned_(arena, index.geometry.hot_per_page),
      links_(arena, std::size_t{4} * index.geometry.m * index.geometry.hot_per_page),
      pending_(arena, 256),
      handed_over_(arena, 256) {
}

void
BatchBackLinker::grant(std::size_t n_points) {
    handed_over_.clear();
    n_most_handed_over_ = n_points * kMostHandedOver;
    std::sort(wishes_.begin(), wishes_.end(), [](const BackLinkWish& a, const BackLinkWish& b) {
        if (a.neighbour.id != b.neighbour.id)
            return a.neighbour.id < b.neighbour.id;
        return a.neighbour.distance < b.neighbour.distance ||
               (a.neighbour.distance == b.neighbour.distance && a.id < b.id);
    });
    for (int i = 0; i < kTries && !wishes_.is_empty(); ++i)
        wishes_.truncate(grant_once());
    wishes_.clear();
}

std::span<const HandedOver>
BatchBackLinker::handed_over() {
    std::sort(handed_over_.begin(), handed_over_.end(),
              [](const HandedOver& a, const HandedOver& b) {
                  return a.to < b.to || (a.to == b.to && core::is_nearer(a.node, b.node));
              });
    return handed_over_.span();
}

// Moves those wishes to the front whose lists others changed in between; returns their number.
std::size_t
BatchBackLinker::grant_once() {
    const Geometry& geometry = index_->geometry;
    std::size_t n_left = 0;
    for (std::size_t first = 0; first < wishes_.size();) {
        const std::uint32_t block = geometry.hot_place(wishes_[first].neighbour.id).block;
        const std::span<const BackLinkWish> wishes = wishes_below(
            wishes_.span().subspan(first), geometry.first_id_of(block) + geometry.hot_per_page);
        plan_page(wishes);
        write_page(block);
        take_pending();
        first += wishes.size();
        for (const PlannedList& list : planned_.span())
            for (const BackLinkWish& wish : list.wishes)
                if (!list.is_written)
                    wishes_[n_left++] = wish;
    }
    return n_left;
}

void
BatchBackLinker::plan_page(std::span<const BackLinkWish> wishes) {
    planned_.clear();
    links_.clear();
    pending_.clear();
    while (!wishes.empty()) {
        const auto same = wishes_below(wishes, wishes[0].neighbour.id + 1);
        plan_list(same);
        wishes = wishes.subspan(same.size());
    }
}

// Decides about the list of one neighbour, the same in all of the wishes.
void
BatchBackLinker::plan_list(std::span<const BackLinkWish> wishes) {
    CHECK_FOR_INTERRUPTS();
    if (!edit_.read(wishes[0].neighbour, 0))
        return;
    bool is_changed = false;
    const std::size_t first_pending = pending_.size();
    for (const BackLinkWish& wish : wishes) {
        if (edit_.has(wish.id, LinkRole::kPlain))
            continue;
        index_->codec->query_from_code(store_->header(wish.point), store_->code(wish.point),
                                       *query_);
        edit_.set_reach(wish.reach);
        if (!edit_.add(wish.id, wish.neighbour.distance, LinkRole::kPlain))
            continue;
        is_changed = true;
        for (const core::Candidate& node : edit_.handed_over())
            if (handed_over_.size() + pending_.size() < n_most_handed_over_)
                pending_.push_back({node, wish.id, node.distance - wish.reach});
    }
    if (!is_changed) {
        pending_.truncate(first_pending);
        return;
    }
    planned_.push_back({wishes, static_cast<std::uint32_t>(links_.size()),
                        static_cast<std::uint32_t>(pending_.size()),
                        static_cast<std::uint8_t>(edit_.before().size()),
                        static_cast<std::uint8_t>(edit_.after().size()), false});
    for (const Link& link : edit_.before())
        links_.push_back(link);
    for (const Link& link : edit_.after())
        links_.push_back(link);
}

// What the lists that were written hand over.
void
BatchBackLinker::take_pending() {
    std::size_t next = 0;
    for (const PlannedList& list : planned_.span())
        for (; next < list.end_pending; ++next)
            if (list.is_written)
                handed_over_.push_back(pending_[next]);
}

// Writes the planned lists, all of this page, that are still what they were.
void
BatchBackLinker::write_page(std::uint32_t block) {
    if (planned_.is_empty())
        return;
    const Geometry& geometry = index_->geometry;
    change_page(
        *index_, block,
        [&](const std::uint8_t* page) {
            bool any = false;
            for (PlannedList& list : planned_.span()) {
                const std::uint8_t* record =
                    page + geometry.hot_place(list.wishes[0].neighbour.id).offset;
                if (!is_live_node(record) || check_record(record, geometry) != nullptr)
                    continue;
                const std::span<const Link> now = links_of(record, geometry, 0);
                const Link* before = links_.begin() + list.first;
                list.is_written =
                    std::equal(now.begin(), now.end(), before, before + list.n_before);
                any |= list.is_written;
            }
            return any;
        },
        [&](std::uint8_t* page) {
            for (const PlannedList& planned : planned_.span()) {
                if (!planned.is_written)
                    continue;
                const LinkList list = link_list(
                    page + geometry.hot_place(planned.wishes[0].neighbour.id).offset, geometry, 0);
                *list.count = 0;
                for (std::uint8_t i = 0; i < planned.n_after; ++i)
                    list.append(links_[planned.first + planned.n_before + i]);
            }
        });
}

}  // namespace vext::hnsw
