// What one member of a crew needs to build layers, made once for the largest.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/array.h"
#include "core/batch/candidate_pool.h"
#include "core/batch/finder.h"
#include "core/batch/layer_plan.h"
#include "core/batch/offers.h"
#include "core/batch/partition.h"
#include "core/graph/link_selector.h"

namespace vext::core {

struct LayerScratch {
    LayerScratch(Arena& arena, const Codec& codec, const LayerPlan& plan,
                 const BatchOptions& options)
        : partition(arena, codec, plan.max_group, plan.max_nearest),
          columns(arena, plan.max_group),
          pool(arena, plan.max_pool),
          candidates(arena, plan.max_pool),
          codes(arena, plan.max_pool),
          selector(arena, codec, plan.max_pool),
          sieve(arena, options.reverse),
          finder(arena, codec),
          values(arena.allocate<float>(codec.n_padded())) {}

    static std::size_t
    bytes_needed(const Codec& codec, const LayerPlan& plan, const BatchOptions& options) {
        return PartitionScratch::bytes_needed(codec, plan.max_group, plan.max_nearest) +
               plan.max_group * sizeof(Point) + CandidatePool::bytes_needed(plan.max_pool) +
               plan.max_pool * (sizeof(Candidate) + sizeof(CodeRef)) +
               LinkSelector::bytes_needed(codec, plan.max_pool) +
               options.reverse * sizeof(internal::Offer) + BatchFinder::bytes_needed(codec) +
               codec.n_padded() * sizeof(float) + 5 * Arena::kAlignment;
    }

    PartitionScratch partition;
    Array<Point> columns;
    CandidatePool pool;
    Array<Candidate> candidates;
    Array<CodeRef> codes;  // beside candidates
    LinkSelector selector;
    internal::OfferSieve sieve;
    BatchFinder finder;
    std::span<float> values;
};

static_assert(std::is_trivially_destructible_v<LayerScratch>);

}  // namespace vext::core
