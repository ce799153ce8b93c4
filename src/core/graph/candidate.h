// Nodes under consideration, and the two orders a search keeps them in.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/array.h"
#include "core/node_id.h"

namespace vext::core {

/// A node with its distance to the query and what was seen beside it.
struct Candidate {
    float distance;
    float error;  ///< about 3 standard errors of `distance`
    NodeId id;
    std::uint16_t version;  ///< of the record when the distance was taken
    bool is_dead;           ///< walked through, never returned or linked to
    bool is_expanded;       ///< its links were followed
};

inline bool
is_nearer(const Candidate& a, const Candidate& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.id < b.id);
}

/// A node that is searched for by its own vector.
struct Sought {
    NodeId id;
    float own_distance;  ///< of the node to itself
};

/// Whether a search for the node found it, or a live one as near to it as it is to itself: one with
/// an equal vector; by inner product often a longer one.
inline bool
has_found(std::span<const Candidate> found, const Sought& sought) {
    return std::any_of(found.begin(), found.end(), [&sought](const Candidate& candidate) {
        return candidate.id == sought.id ||
               (!candidate.is_dead && candidate.distance <= sought.own_distance);
    });
}

/// The `ef` nearest live candidates in order, with the dead ones among them, each expanded once. Of
/// the dead no more than kMostDead + 4 ef are kept, the nearest, so that a graph of nearly only
/// dead nodes does not have to be walked whole.
class Beam {
   public:
    Beam(Arena& arena, std::size_t ef) : entries_(arena, ef + 64), ef_(ef) {}

    void
    reset(std::size_t ef) {
        entries_.clear();
        ef_ = ef;
        n_live_ = 0;
        cursor_ = 0;
    }

    std::size_t
    size() const {
        return entries_.size();
    }
    std::span<Candidate>
    entries() {
        return entries_.span();
    }

    /// Whether a candidate at this distance would be kept.
    bool
    would_keep(float distance) const {
        return n_live_ < ef_ || distance < entries_[entries_.size() - 1].distance;
    }

    /// Adds a candidate that would be kept; those that fall out at the far end go to `fallen`.
    template <typename Sink>
    void
    insert(const Candidate& candidate, Sink&& fallen) {
        entries_.push_back(candidate);
        Candidate* first = entries_.begin();
        Candidate* last = entries_.end() - 1;
        Candidate* place = std::upper_bound(first, last, candidate, is_nearer);
        std::memmove(place + 1, place, static_cast<std::size_t>(last - place) * sizeof(Candidate));
        *place = candidate;
        cursor_ = std::min(cursor_, static_cast<std::size_t>(place - first));
        n_live_ += candidate.is_dead ? 0 : 1;
        if (candidate.is_dead && entries_.size() - n_live_ > kMostDead + 4 * ef_)
            drop_farthest_dead(fallen);
        while (n_live_ > ef_ || (n_live_ == ef_ && entries_.back().is_dead)) {
            const Candidate last = entries_.back();
            n_live_ -= last.is_dead ? 0 : 1;
            entries_.pop_back();
            fallen(last);
        }
    }

    /// The nearest candidate not yet expanded, now marked so; null when there is none.
    const Candidate*
    expand_next() {
        while (cursor_ < entries_.size() && entries_[cursor_].is_expanded)
            ++cursor_;
        if (cursor_ == entries_.size())
            return nullptr;
        entries_[cursor_].is_expanded = true;
        return &entries_[cursor_];
    }

   private:
    static constexpr std::size_t kMostDead = 1000;

    template <typename Sink>
    void
    drop_farthest_dead(Sink&& fallen) {
        Candidate* dead = entries_.end() - 1;
        while (!dead->is_dead)
            --dead;
        fallen(*dead);
        std::memmove(dead, dead + 1,
                     static_cast<std::size_t>(entries_.end() - dead - 1) * sizeof(Candidate));
        entries_.pop_back();
        cursor_ = std::min(cursor_, static_cast<std::size_t>(dead - entries_.begin()));
    }

    Array<Candidate> entries_;
    std::size_t ef_;
    std::size_t n_live_ = 0;
    std::size_t cursor_ = 0;
};

/// Candidates of which only the nearest is wanted at a time.
class CandidateHeap {
   public:
    explicit CandidateHeap(Arena& arena) : entries_(arena) {}

    std::size_t
    size() const {
        return entries_.size();
    }
    bool
    is_empty() const {
        return entries_.is_empty();
    }
    /// In no order.
    std::span<const Candidate>
    span() const {
        return entries_.span();
    }
    void
    clear() {
        entries_.clear();
    }
    /// From now on all are walked through only.
    void
    mark_dead() {
        for (Candidate& entry : entries_)
            entry.is_dead = true;
    }

    void
    push(const Candidate& candidate) {
        entries_.push_back(candidate);
        std::push_heap(entries_.begin(), entries_.end(), is_farther);
    }

    Candidate
    pop() {
        std::pop_heap(entries_.begin(), entries_.end(), is_farther);
        const Candidate nearest = entries_.back();
        entries_.pop_back();
        return nearest;
    }

   private:
    static bool
    is_farther(const Candidate& a, const Candidate& b) {
        return is_nearer(b, a);
    }

    Array<Candidate> entries_;
};

static_assert(std::is_trivially_destructible_v<Beam> &&
              std::is_trivially_destructible_v<CandidateHeap>);

}  // namespace vext::core
