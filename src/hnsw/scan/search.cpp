// See search.h.

#include "hnsw/scan/search.h"

#include <algorithm>

#include "hnsw/pages/chain.h"

namespace vext::hnsw {

namespace {

constexpr std::size_t kTouchedAtOnce = 8;

// How often a search begins without taking anything new: a clean-up that frees what each start
// walks through is not outrun, and links that lead to free slots may be damage.
constexpr std::size_t kMostStarts = 5;

float
lower_bound_of(const core::Candidate& candidate) {
    return candidate.distance - candidate.error;
}

// Descending order of lower bounds, so that the nearest is taken from the end of an array, or from
// the top of a heap.
bool
has_farther_bound(const core::Candidate& a, const core::Candidate& b) {
    return lower_bound_of(a) > lower_bound_of(b);
}

}  // namespace

Search::Search(Index& index, const SearchOptions& options)
    : index_(&index),
      options_(options),
      context_(CurrentMemoryContext),
      arena_(pg::context_arena(context_)),
      row_touch_(options.touches_rows ? options.table : nullptr),
      prepared_(index.codec->allocate_prepared(arena_)),
      query_(index.codec->allocate_query(arena_)),
      graph_(index, query_),
      landing_(index, arena_),
      memory_(arena_, options.ef),
      estimated_(arena_, 2 * options.ef),
      waiting_(arena_, options.ef),
      frontier_(arena_),
      known_(arena_),
      tids_(arena_, 16) {
    graph_.pass_unlinked(true);
    if (options.goes_on) {
        memory_.keeps = core::Discarded::kAll;
        memory_.discarded.reserve(16 * options.ef);
    } else if (!options.by_lower_bound) {
        memory_.keeps = core::Discarded::kSpares;
    }
}

void
Search::start(const float* vector) {
    set_query(vector);
    search_from_top();
    if (!options_.by_lower_bound)
        take_spares();
    std::sort(estimated_.begin(), estimated_.end(), has_farther_bound);
}

bool
Search::next(FoundNode& found) {
    if (!options_.goes_on && n_found_ == options_.ef)
        return false;
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        refine_nearest();
        if (must_go_on()) {
            go_on();
            continue;
        }
        if (waiting_.is_empty() && resume())
            continue;
        if (waiting_.is_empty())
            return false;
        const Waiting nearest = pop_waiting();
        ++n_passed_;
        if (n_found_ > 0 && !nearest.is_touched && nearest.tid.is_valid() &&
            row_touch_.is_possible())
            touch_rows(nearest);
        collect_rows(nearest);
        if (tids_.is_empty())
            continue;
        ++n_found_;
        found = {nearest.refined.distance, nearest.refined.lower_bound};
        return true;
    }
}

void
Search::set_query(const float* vector) {
    is_unordered_ = vector == nullptr;
    if (vector != nullptr)
        is_unordered_ =
            index_->codec->prepare(vector, prepared_) == core::PrepareStatus::kZeroVector;
    if (is_unordered_) {
        // Any direction will do.
        core::Arena arena = arena_;
        std::span<float> any = arena.allocate<float>(index_->codec->n_any_values());
        index_->codec->any_value(any.data());
        index_->codec->prepare(any.data(), prepared_);
    }
    index_->codec->prepare_query(prepared_, query_);
}

// Searches layer 0 from the entry point; again where it has walked on a node that was gone.
void
Search::search_from_top() {
    do {
        ++n_starts_;
        n_gone_before_ = graph_.n_gone();
        memory_.beam.reset(options_.ef);
        memory_.discarded.clear();
        EntryPoint entry;
        if (!graph_.enter(entry))
            return;
        // A graph that began after this scan opened the index has no row that its snapshot shows.
        if (index_->has_stale_codec())
            return;
        search_ground(graph_, entry, {options_.ef}, landing_, memory_);
    } while (misses_some());
    take_beam();
}

// Whether nodes were gone since the last start, so that it may not have led to all there is.
bool
Search::misses_some() const {
    return graph_.n_gone() != n_gone_before_ && n_starts_ < kMostStarts;
}

// A walk has come to its end and missed some. What it met and is still there it has taken.
void
Search::begin_anew() {
    if (taken_ == nullptr) {
        taken_ = arena_.make<core::VisitedSet>(memory_.visited);
        memory_.visited = core::VisitedSet(arena_, taken_->size());
    }
    if (taken_->size() != n_taken_before_)
        n_starts_ = 0;
    n_taken_before_ = taken_->size();
    search_from_top();
    std::sort(estimated_.begin(), estimated_.end(), has_farther_bound);
}

// Adds the live candidates of the beam to the estimated ones, in no order.
void
Search::take_beam() {
    for (const core::Candidate& candidate : memory_.beam.entries()) {
        if (candidate.is_dead)
            continue;
        const bool is_new = taken_ == nullptr || taken_->add(candidate.id);
        // One that is in known_ counts as of a beam from now on, but what an earlier walk took has
        // been counted.
        n_in_beams_ += is_new || n_taken_before_ == 0 ? 1 : 0;
        if (is_new)
            estimated_.push_back(candidate);
    }
    n_touched_ = 0;
}

// An estimate that is a little too large puts a near node behind the beam's last; looking at half
// as many again finds most of those. A search that goes on walks through them.
void
Search::take_spares() {
    core::Candidate* first = memory_.discarded.begin();
    core::Candidate* last =
        std::partition(first, memory_.discarded.end(), [this](const core::Candidate& refused) {
            return !refused.is_dead && memory_.beam.would_keep(lower_bound_of(refused));
        });
    const std::ptrdiff_t n_most = static_cast<std::ptrdiff_t>(options_.ef + 1) / 2;
    if (last - first > n_most) {
        std::nth_element(first, first + n_most, last, core::is_nearer);
        last = first + n_most;
    }
    for (core::Candidate* spare = first; spare != last; ++spare) {
        estimated_.push_back(*spare);
        spare->is_dead = true;
    }
}

// Refines what may be nearer than the nearest refined one, and all that has to be refined before
// any is returned.
void
Search::refine_nearest() {
    while (!estimated_.is_empty() && (waiting_.is_empty() || (options_.refines_all && walks_) ||
                                      may_come_next(estimated_.back()))) {
        CHECK_FOR_INTERRUPTS();
        const core::Candidate candidate = estimated_.back();
        if (n_touched_ == 0)
            touch_next();
        --n_touched_;
        estimated_.pop_back();
        refine(candidate);
    }
    while (has_nearer_known()) {
        CHECK_FOR_INTERRUPTS();
        refine(pop_known());
    }
}

// Whether a node that no beam has kept comes next, as far as is known.
bool
Search::has_nearer_known() const {
    return !known_.is_empty() && (waiting_.is_empty() || may_come_next(known_[0]));
}

// Whether a candidate, once refined, may come before the nearest of those that wait. There is one.
bool
Search::may_come_next(const core::Candidate& candidate) const {
    return lower_bound_of(candidate) - slack_ <= key(waiting_[0].refined);
}

// Whether to look for more before the nearest one that waits is returned: where none waits; and, so
// that what is found late is in its place, before the last half of a beam is returned. A first beam
// is returned whole, though, unless what comes late would be lost.
bool
Search::must_go_on() const {
    if (!options_.goes_on || !walks_)
        return false;
    return waiting_.is_empty() || ((options_.is_strict || n_found_ >= options_.ef) &&
                                   n_in_beams_ <= n_passed_ + options_.ef / 2);
}

// Looks for more, as far as there is more and limits allow.
void
Search::go_on() {
    take_discarded();
    if (!frontier_.is_empty() && !has_room() && options_.judge_rows != nullptr)
        options_.judge_rows(options_.judge);
    if (!frontier_.is_empty() && has_room())
        walk_on();
    else if (!frontier_.is_empty())
        stop_walking();
    else if (misses_some())
        begin_anew();
    else
        walks_ = false;
}

// What beams have refused or dropped: to walk on from, and in a strict search to be returned in its
// place before that.
void
Search::take_discarded() {
    if (options_.is_strict && taken_ == nullptr) {
        taken_ = arena_.make<core::VisitedSet>(arena_, memory_.visited.size());
        for (const core::Candidate& candidate : memory_.beam.entries())
            taken_->add(candidate.id);
    }
    for (core::Candidate& refused : memory_.discarded.span()) {
        if (options_.is_strict && !refused.is_dead && taken_->add(refused.id))
            push_known(refused);
        refused.is_expanded = false;
        frontier_.push(refused);
    }
    memory_.discarded.clear();
}

// A round: the nearest of the frontier become the beam.
void
Search::walk_on() {
    memory_.beam.reset(options_.ef);
    for (std::size_t i = 0; i < options_.ef && !frontier_.is_empty(); ++i)
        memory_.beam.insert(frontier_.pop(), [](const core::Candidate&) {});
    core::expand_beam(graph_, 0, memory_);
    take_beam();
    std::sort(estimated_.begin(), estimated_.end(), has_farther_bound);
}

// The limits are reached: what was met up to now is all that there will be.
void
Search::stop_walking() {
    walks_ = false;
    is_cut_short_ = true;
    for (const core::Candidate& candidate : frontier_.span())
        if (!candidate.is_dead && (taken_ == nullptr || taken_->add(candidate.id)))
            push_known(candidate);
    frontier_.mark_dead();
}

// All that was met has been returned. Where rows turned out to be dead, there is room again.
bool
Search::resume() {
    if (!is_cut_short_ || !has_room())
        return false;
    walks_ = true;
    is_cut_short_ = false;
    return true;
}

bool
Search::has_room() const {
    return memory_.visited.size() < options_.max_visited &&
           MemoryContextMemAllocated(context_, false) < options_.max_bytes;
}

// Touches what is read of the candidates that are refined next.
void
Search::touch_next() {
    n_touched_ = std::min(estimated_.size(), kTouchedAtOnce);
    for (std::size_t i = 1; i <= n_touched_; ++i)
        graph_.touch_residual(estimated_[estimated_.size() - i].id);
}

void
Search::push_known(const core::Candidate& candidate) {
    known_.push_back(candidate);
    std::push_heap(known_.begin(), known_.end(), has_farther_bound);
}

core::Candidate
Search::pop_known() {
    std::pop_heap(known_.begin(), known_.end(), has_farther_bound);
    const core::Candidate nearest = known_.back();
    known_.pop_back();
    return nearest;
}

void
Search::refine(const core::Candidate& candidate) {
    Waiting waiting = {};
    if (!read_waiting(candidate, waiting)) {
        ++n_passed_;
        return;
    }
    if (options_.is_strict)
        slack_ = std::max(slack_, lower_bound_of(candidate) - key(waiting.refined));
    push_waiting(waiting);
}

bool
Search::read_waiting(const core::Candidate& candidate, Waiting& waiting) {
    const Geometry& geometry = index_->geometry;
    const Place hot = geometry.hot_place(candidate.id);
    const auto read = [&](const std::uint8_t* hot_page, const std::uint8_t* residual) {
        check_age(*index_, hot_page);
        if (!check_page_or_report(*index_, hot_page, PageKind::kHot, hot.block, true))
            return false;
        const std::uint8_t* record = hot_page + hot.offset;
        if (!is_live_node(record) || head_of(record).version != candidate.version)
            return false;
        waiting.refined = index_->codec->refine(query_, code_header(record, index_->geometry),
                                                code_of(record, geometry), residual);
        waiting.id = candidate.id;
        waiting.tid = node_of(record).tid;
        waiting.tids_head = node_of(record).tids_head;
        return true;
    };
    if (geometry.cold_bytes == 0)
        return pg::with_page(index_->relation, hot.block, index_->hints,
                             [&](const std::uint8_t* page) { return read(page, nullptr); });
    const Place cold = geometry.cold_place(candidate.id);
    check_cold_block(*index_, cold.block);
    return pg::with_two_pages(index_->relation, hot.block, cold.block, index_->hints,
                              [&](const std::uint8_t* hot_page, const std::uint8_t* cold_page) {
                                  check_page_or_report(*index_, cold_page, PageKind::kCold,
                                                       cold.block, true);
                                  return read(hot_page, cold_page + cold.offset);
                              });
}

void
Search::push_waiting(const Waiting& waiting) {
    waiting_.push_back(waiting);
    std::push_heap(waiting_.begin(), waiting_.end(), [this](const Waiting& a, const Waiting& b) {
        return key(a.refined) > key(b.refined);
    });
}

Search::Waiting
Search::pop_waiting() {
    std::pop_heap(waiting_.begin(), waiting_.end(), [this](const Waiting& a, const Waiting& b) {
        return key(a.refined) > key(b.refined);
    });
    const Waiting nearest = waiting_.back();
    waiting_.pop_back();
    return nearest;
}

// Touches the table's rows of a node that is about to be returned and of some that may be the next.
// Not for the first node of a search: often no other is asked for.
void
Search::touch_rows(const Waiting& first) {
    ItemPointerData rows[pg::RowTouch::kMostRows];
    check_row(first.id, first.tid);
    rows[0] = to_item_pointer(first.tid);
    std::size_t n = 1;
    for (Waiting& waiting : waiting_.span()) {
        if (n == pg::RowTouch::kMostRows)
            break;
        if (waiting.is_touched || !waiting.tid.is_valid())
            continue;
        waiting.is_touched = true;
        check_row(waiting.id, waiting.tid);
        rows[n++] = to_item_pointer(waiting.tid);
    }
    row_touch_({rows, n});
}

// Fills tids_ with the rows of a node: its own and those of its chain as it is now.
void
Search::collect_rows(const Waiting& waiting) {
    NodeId chain_head = waiting.tids_head;
    for (int i = 0; i < kMostChainReads; ++i) {
        CHECK_FOR_INTERRUPTS();
        tids_.clear();
        if (waiting.tid.is_valid())
            tids_.push_back(waiting.tid);
        if (chain_head == kNoNode || collect_chain(*index_, waiting.id, chain_head, tids_)) {
            for (const Tid& tid : tids_.span())
                check_row(waiting.id, tid);
            return;
        }
        with_record(*index_, waiting.id, [&](const std::uint8_t* record) {
            chain_head = is_live_node(record) ? node_of(record).tids_head : kNoNode;
        });
    }
    report_damage(index_->relation, index_->geometry.hot_place(waiting.id).block,
                  "a node's chain leads to a record that is not its own");
}

// Whoever is given a row reads the table by it.
void
Search::check_row(NodeId id, const Tid& tid) {
    if (!options_.table_bounds->hold(to_item_pointer(tid)))
        report_damage(index_->relation, index_->geometry.hot_place(id).block,
                      "a row lies beyond the table");
}

}  // namespace vext::hnsw
