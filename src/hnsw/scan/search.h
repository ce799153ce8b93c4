// One search of the index: candidates from the graph, in order of what is known of their distance.
//
// Candidates come out of the beam with an estimated distance. They are refined (cold tier, or a
// float query where there is none) in order of their lower bound, and the nearest refined one is
// returned once no candidate still waiting could be nearer. Its rows are read in the same bracket
// as its code, under the page's lock, so they belong to the vector whose distance is returned; a
// node whose version changed since the graph was walked is dropped.
//
// When more is asked for than the beam gave, the search goes on in rounds: the nearest nodes that
// were met and not expanded become a new beam (../README.md, "Going on"). Where it comes to an end,
// and nodes on its way were gone, it begins anew for what it has not taken.

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/graph/search.h"
#include "hnsw/graph/landing.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/options.h"
#include "hnsw/pages/index.h"
#include "pg/row_touch.h"
#include "pg/table_bounds.h"

namespace vext::hnsw {

struct SearchOptions {
    Relation table;     ///< whose rows will be fetched in the order of the tids
    bool touches_rows;  ///< touch them before they are fetched
    pg::TableBounds* table_bounds;
    std::size_t ef;
    bool goes_on;               ///< beyond the first `ef` nodes, as long as more are asked for
    bool is_strict;             ///< then what comes out of order is useless
    std::size_t max_visited;    ///< nodes, after which a search that goes on walks no further
    std::size_t max_bytes;      ///< likewise, of memory
    void (*judge_rows)(void*);  ///< called before limits end the walk: to note_dead_row() those of
    void* judge;          ///< the rows returned that are dead; null where that is known anyway
    bool by_lower_bound;  ///< return in order of rigorous lower bounds, not of distances
    bool refines_all;     ///< refine every candidate before the first one is returned: what
                          ///< an estimate says of its distance is not certain
};

struct FoundNode {
    float distance;     ///< internal units
    float lower_bound;  ///< never above the exact distance
};

class Search {
   public:
    /// Memory comes from the current context, which must be the search's own: its size counts.
    Search(Index& index, const SearchOptions& options);
    Search(const Search&) = delete;

    /// Starts at the query; `vector` null stands for NULL: any order of rows will do.
    void start(const float* vector);

    /// The next node; its rows are in tids(). False when there is no more, until rows turn out to
    /// be dead and the limits leave room for others.
    bool next(FoundNode& found);

    std::span<const Tid>
    tids() const {
        return tids_.span();
    }

    /// Tells that a row which was returned is dead to all: it does not count towards the limit.
    void
    note_dead_row() {
        ++options_.max_visited;
    }

    /// Whether the limits keep it from rows that there are.
    bool
    is_cut_short() const {
        return is_cut_short_;
    }

    /// Whether distances mean nothing: the query was NULL or has no direction.
    bool
    is_unordered() const {
        return is_unordered_;
    }

   private:
    struct Waiting {
        core::Refined refined;
        NodeId id;
        Tid tid;
        NodeId tids_head;
        bool is_touched;
    };

    void set_query(const float* vector);
    void search_from_top();
    bool misses_some() const;
    void begin_anew();
    void take_beam();
    void take_spares();
    bool must_go_on() const;
    void go_on();
    void take_discarded();
    void walk_on();
    void stop_walking();
    bool resume();
    bool has_room() const;
    void refine_nearest();
    bool has_nearer_known() const;
    bool may_come_next(const core::Candidate& candidate) const;
    void touch_next();
    void refine(const core::Candidate& candidate);
    bool read_waiting(const core::Candidate& candidate, Waiting& waiting);
    void push_waiting(const Waiting& waiting);
    Waiting pop_waiting();
    float
    key(const core::Refined& refined) const {
        return options_.by_lower_bound ? refined.lower_bound : refined.distance;
    }
    void touch_rows(const Waiting& first);
    void collect_rows(const Waiting& waiting);
    void check_row(NodeId id, const Tid& tid);
    void push_known(const core::Candidate& candidate);
    core::Candidate pop_known();

    Index* index_;
    SearchOptions options_;
    MemoryContext context_;
    core::Arena arena_;
    pg::RowTouch row_touch_;
    core::Prepared prepared_;
    core::Query query_;
    PageGraph graph_;
    Landing landing_;
    core::SearchMemory memory_;
    core::Array<core::Candidate> estimated_;  // of beams, by lower bound, nearest last
    core::Array<Waiting> waiting_;            // a heap, nearest first
    core::CandidateHeap frontier_;            // what to walk on from
    core::Array<core::Candidate> known_;      // a heap by lower bound: met, and in no beam
    core::VisitedSet* taken_ = nullptr;       // of a strict search, and of one that began anew:
                                              // what is or was in known_ or estimated_
    core::Array<Tid> tids_;
    float slack_ = 0;  // of a strict search: how far a key was below what was known before
    std::size_t n_touched_ = 0;   // of estimated_, from its end
    std::size_t n_in_beams_ = 0;  // nodes, of all beams up to now
    std::size_t n_passed_ = 0;    // nodes that were returned or are gone
    std::size_t n_found_ = 0;
    std::size_t n_starts_ = 0;        // since a walk last took what none before had taken
    std::size_t n_gone_before_ = 0;   // nodes gone before the last start
    std::size_t n_taken_before_ = 0;  // likewise, of taken_
    bool is_unordered_ = false;
    bool walks_ = true;          // there may be more, and the limits allow to look for it
    bool is_cut_short_ = false;  // they do not, and there is more
};

static_assert(std::is_trivially_destructible_v<Search>);

}  // namespace vext::hnsw
