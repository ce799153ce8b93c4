// See anchors.h.

#include "core/batch/anchors.h"

#include "core/array.h"
#include "core/bitmap.h"

namespace vext::core::internal {

namespace {

// Turns links into anchors as it walks from the entry point.
class AnchorWalk {
   public:
    AnchorWalk(const LayerLinks& layer, std::size_t n, Arena& local, void (*pause)())
        : layer_(layer),
          pause_(pause),
          reached_(local, n),
          queue_(local, n),
          n_anchors_(local.allocate_zeroed<std::uint8_t>(n)),
          n_(n) {}

    std::size_t
    n_reached() const {
        return queue_.size();
    }

    void
    reach(std::uint32_t rank) {
        reached_.set(rank);
        queue_.push_back(rank);
    }

    // From all reached ranks on, giving up to `most_anchors` anchors of each list.
    void
    walk(std::size_t most_anchors, std::size_t first = 0) {
        for (std::size_t i = first; i < queue_.size(); ++i) {
            if (i % kPauseInterval == 0)
                pause_();
            const std::uint32_t rank = queue_[i];
            for (Link& link : layer_.of(rank)) {
                if (n_anchors_[rank] >= most_anchors)
                    break;
                if (!reached_.has(link.id()))
                    anchor(rank, link, link.id());
            }
        }
    }

    // Links the ranks that no list leads to, and walks on from each; returns whether it could link
    // any. Requires: walked with all anchors.
    bool
    link_missed() {
        const std::size_t before = queue_.size();
        for (std::uint32_t rank = 0; rank < n_; ++rank) {
            if (reached_.has(rank))
                continue;
            const std::size_t n_reached = queue_.size();
            link_from_nearest(rank);
            walk(layer_.links.width(), n_reached);
        }
        return queue_.size() > before;
    }

    // Links one missed rank from any reached rank that can.
    void
    link_from_anywhere() {
        std::uint32_t missed = 0;
        while (reached_.has(missed))
            ++missed;
        link_from_any(missed);
    }

    // Sees to it that a list leads to the entry point, too: searches that come from the layer above
    // begin elsewhere. Requires: all are reached.
    void
    link_entry(std::uint32_t entry) {
        for (std::uint32_t rank = 0; rank < n_; ++rank)
            for (const Link& link : layer_.of(rank))
                if (link.id() == entry)
                    return;
        if (!link_from_nearest(entry))
            link_from_any(entry);
    }

   private:
    void
    anchor(std::uint32_t from, Link& link, std::uint32_t to) {
        link = Link(to, LinkKind::kAnchor);
        ++n_anchors_[from];
        reach(to);
    }

    bool
    link_from_nearest(std::uint32_t rank) {
        for (const Link& link : layer_.of(rank))
            if (reached_.has(link.id()) && give_place(link.id(), rank))
                return true;
        return false;
    }

    void
    link_from_any(std::uint32_t rank) {
        for (std::size_t i = 0; i < queue_.size(); ++i)
            if (queue_[i] != rank && give_place(queue_[i], rank))
                return;
    }

    // A free place of a list, or that of its last link that is no anchor: links stand diverse
    // first, each kind from near to far.
    bool
    give_place(std::uint32_t from, std::uint32_t to) {
        std::uint8_t& count = layer_.counts[from][0];
        if (count < layer_.links.width()) {
            anchor(from, layer_.links[from][count++], to);
            return true;
        }
        const std::span<Link> links = layer_.of(from);
        for (std::size_t i = links.size(); i-- > 0;) {
            if (links[i].kind() == LinkKind::kAnchor)
                continue;
            anchor(from, links[i], to);
            return true;
        }
        return false;
    }

    static constexpr std::size_t kPauseInterval = 4096;

    LayerLinks layer_;
    void (*pause_)();
    Bitmap reached_;
    Array<std::uint32_t> queue_;  // all reached ranks, in the order they were reached
    std::span<std::uint8_t> n_anchors_;
    std::size_t n_;
};

}  // namespace

void
make_reachable(const LayerLinks& layer, std::size_t n, std::uint32_t entry, Arena& local,
               void (*pause)()) {
    AnchorWalk walk(layer, n, local, pause);
    walk.reach(entry);
    walk.walk(layer.links.width() / 2);
    walk.walk(layer.links.width());
    while (walk.n_reached() < n) {
        if (!walk.link_missed())
            walk.link_from_anywhere();
        walk.walk(layer.links.width());
    }
    walk.link_entry(entry);
}

}  // namespace vext::core::internal
