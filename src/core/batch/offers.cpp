// See offers.h.

#include "core/batch/offers.h"

#include <algorithm>

namespace vext::core::internal {
namespace {

bool
is_nearer(const Offer& a, const Offer& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.rank < b.rank);
}

bool
matters_more(const Offer& a, const Offer& b) {
    return a.position < b.position || (a.position == b.position && is_nearer(a, b));
}

}  // namespace

void
OfferLists::begin_placing(std::size_t n) {
    std::uint64_t n_before = 0;
    for (const Rank rank : ids_below<Rank>(n)) {
        std::uint64_t& end = ends_[rank][0];
        const std::uint64_t n_offers = end;
        end = n_before;
        n_before += n_offers;
    }
}

void
OfferSieve::consider(const Offer& offer, std::size_t direction) {
    if (n_important_ < important_.size()) {
        important_[n_important_++] = offer;
        if (n_important_ == important_.size())
            find_least();
    } else if (!important_.empty() && matters_more(offer, important_[least_])) {
        important_[least_] = offer;
        find_least();
    }
    const std::uint64_t bit = std::uint64_t{1} << direction;
    if ((directions_ & bit) == 0 || is_nearer(offer, nearest_[direction]))
        nearest_[direction] = offer;
    directions_ |= bit;
}

void
OfferSieve::find_least() {
    const auto least = std::max_element(important_.begin(), important_.end(), matters_more);
    least_ = static_cast<std::size_t>(least - important_.begin());
}

}  // namespace vext::core::internal
