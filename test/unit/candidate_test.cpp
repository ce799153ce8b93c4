// The beam and the heap of candidates against sorted vectors.

#include "core/graph/candidate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "test_arena.h"

namespace vext::core {
namespace {

Candidate
candidate_at(float distance, NodeId id, bool is_dead = false) {
    return {distance, 0, id, 0, is_dead, false};
}

/// Candidates whose distances often tie, so that ids decide.
Candidate
random_candidate(std::mt19937_64& random, NodeId id, unsigned percent_dead) {
    return candidate_at(static_cast<float>(random() % 40), id, random() % 100 < percent_dead);
}

/// What a beam should hold: all that are offered, in order, cut behind the ef-th live one, which
/// leaves no dead one at the end of a full beam.
class BeamModel {
   public:
    explicit BeamModel(std::size_t ef) : ef_(ef) {}

    bool
    would_keep(float distance) const {
        return n_live() < ef_ || distance < kept_.back().distance;
    }

    std::vector<Candidate>
    insert(const Candidate& candidate) {
        kept_.push_back(candidate);
        std::sort(kept_.begin(), kept_.end(), is_nearer);
        std::vector<Candidate> fallen;
        while (n_live() > ef_ || (n_live() == ef_ && kept_.back().is_dead)) {
            fallen.push_back(kept_.back());
            kept_.pop_back();
        }
        return fallen;
    }

    std::vector<Candidate>&
    kept() {
        return kept_;
    }

   private:
    std::size_t
    n_live() const {
        return static_cast<std::size_t>(std::count_if(
            kept_.begin(), kept_.end(), [](const Candidate& entry) { return !entry.is_dead; }));
    }

    std::size_t ef_;
    std::vector<Candidate> kept_;
};

std::vector<NodeId>
ids_of(std::span<const Candidate> candidates) {
    std::vector<NodeId> ids;
    for (const Candidate& candidate : candidates)
        ids.push_back(candidate.id);
    return ids;
}

TEST(Beam, EqualsItsModel) {
    std::mt19937_64 random(3);
    test::TestArena memory;
    Beam beam(memory.arena(), 4);
    for (const std::size_t ef : {1u, 2u, 3u, 10u, 100u}) {
        for (const unsigned percent_dead : {0u, 30u, 90u}) {
            beam.reset(ef);
            BeamModel model(ef);
            for (const NodeId id : ids_below(500)) {
                const Candidate candidate = random_candidate(random, id, percent_dead);
                ASSERT_EQ(beam.would_keep(candidate.distance),
                          model.would_keep(candidate.distance));
                if (beam.would_keep(candidate.distance)) {
                    std::vector<Candidate> fallen;
                    beam.insert(candidate,
                                [&](const Candidate& entry) { fallen.push_back(entry); });
                    ASSERT_EQ(ids_of(fallen), ids_of(model.insert(candidate)));
                }
                if (random() % 3 == 0) {
                    // The nearest that is not expanded, among those that are left.
                    auto next =
                        std::find_if(model.kept().begin(), model.kept().end(),
                                     [](const Candidate& entry) { return !entry.is_expanded; });
                    const Candidate* expanded = beam.expand_next();
                    ASSERT_EQ(expanded == nullptr, next == model.kept().end());
                    if (expanded != nullptr) {
                        ASSERT_EQ(expanded->id, next->id);
                        ASSERT_TRUE(expanded->is_expanded);
                        next->is_expanded = true;
                    }
                }
                ASSERT_EQ(ids_of(beam.entries()), ids_of(model.kept()));
                ASSERT_EQ(beam.size(), model.kept().size());
            }
        }
    }
}

TEST(Beam, KeepsTheNearestLiveOnes) {
    test::TestArena memory;
    Beam beam(memory.arena(), 2);
    const auto ignore = [](const Candidate&) {};
    beam.insert(candidate_at(5, NodeId{1}), ignore);
    beam.insert(candidate_at(4, NodeId{2}, true), ignore);
    EXPECT_TRUE(beam.would_keep(100));
    beam.insert(candidate_at(3, NodeId{3}), ignore);
    EXPECT_FALSE(beam.would_keep(5));
    EXPECT_TRUE(beam.would_keep(4.5f));
    beam.insert(candidate_at(1, NodeId{4}), ignore);
    // 1 fell out, and then the dead one behind the last live one.
    EXPECT_EQ(ids_of(beam.entries()), (std::vector<NodeId>{NodeId{4}, NodeId{3}}));
}

TEST(Beam, ExpandsANearerOneThatComesLater) {
    test::TestArena memory;
    Beam beam(memory.arena(), 10);
    const auto ignore = [](const Candidate&) {};
    EXPECT_EQ(beam.expand_next(), nullptr);
    beam.insert(candidate_at(5, NodeId{1}), ignore);
    beam.insert(candidate_at(6, NodeId{2}), ignore);
    EXPECT_EQ(beam.expand_next()->id, NodeId{1});
    beam.insert(candidate_at(2, NodeId{3}), ignore);
    EXPECT_EQ(beam.expand_next()->id, NodeId{3});
    EXPECT_EQ(beam.expand_next()->id, NodeId{2});
    EXPECT_EQ(beam.expand_next(), nullptr);
}

TEST(CandidateHeap, PopsInOrder) {
    std::mt19937_64 random(4);
    test::TestArena memory;
    CandidateHeap heap(memory.arena());
    std::vector<Candidate> model;
    for (const NodeId id : ids_below(5000)) {
        if (model.empty() || random() % 3 != 0) {
            const Candidate candidate = random_candidate(random, id, 0);
            heap.push(candidate);
            model.push_back(candidate);
        } else {
            const auto nearest = std::min_element(model.begin(), model.end(), is_nearer);
            ASSERT_EQ(heap.pop().id, nearest->id);
            model.erase(nearest);
        }
        ASSERT_EQ(heap.size(), model.size());
        ASSERT_EQ(heap.is_empty(), model.empty());
    }
    heap.clear();
    EXPECT_TRUE(heap.is_empty());
}

}  // namespace
}  // namespace vext::core
