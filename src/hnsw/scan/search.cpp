// See search.h.

#include "hnsw/scan/search.h"

#include <algorithm>

#include "hnsw/pages/chain.h"

namespace vext::hnsw {

namespace {

constexpr std::size_t kTouchedAtOnce = 8;

// Descending order of lower bounds, so that the nearest is taken from the end.
bool
has_farther_bound(const core::Candidate& a, const core::Candidate& b) {
    return a.distance - a.error > b.distance - b.error;
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
      memory_(arena_, options.ef),
      estimated_(arena_, options.ef),
      waiting_(arena_, options.ef),
      tids_(arena_, 16) {
    graph_.pass_unlinked(true);
    if (options.iterative != kIterativeOff)
        memory_.keeps = core::Discarded::kAll;
    else if (!options.by_lower_bound)
        memory_.keeps = core::Discarded::kSpares;
}

void
Search::start(const float* vector) {
    memory_.discarded.clear();
    estimated_.clear();
    waiting_.clear();
    tids_.clear();
    n_found_ = 0;
    is_drained_ = false;
    set_query(vector);
    MetaPage meta;
    core::Candidate nearest;
    if (!graph_.enter(meta, nearest))
        return;
    // A graph that began after this scan opened the index has no row that its snapshot shows.
    if (index_->has_stale_codec())
        return;
    const core::Entries entries = core::descend(graph_, meta.entry_layer, 1, nearest, memory_);
    core::search_layer(graph_, 0, options_.ef, entries.span(), memory_);
    take_beam();
    if (memory_.keeps == core::Discarded::kSpares)
        take_spares();
}

bool
Search::next(FoundNode& found) {
    if (memory_.keeps == core::Discarded::kSpares && n_found_ == options_.ef)
        return false;
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        while (!estimated_.is_empty() &&
               (waiting_.is_empty() || options_.refines_all ||
                estimated_.back().distance - estimated_.back().error <= key(waiting_[0].refined))) {
            const core::Candidate candidate = estimated_.back();
            if (n_touched_ == 0)
                touch_next();
            --n_touched_;
            estimated_.pop_back();
            refine(candidate);
        }
        if (!waiting_.is_empty()) {
            const Waiting nearest = pop_waiting();
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
        if (!resume())
            return false;
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
        std::span<float> any = arena.allocate_zeroed<float>(index_->meta.n_dims);
        any[0] = 1;
        index_->codec->prepare(any.data(), prepared_);
    }
    index_->codec->prepare_query(prepared_, query_);
}

// Moves the live candidates of the beam to the estimated ones, which are empty.
void
Search::take_beam() {
    for (const core::Candidate& candidate : memory_.beam.entries())
        if (!candidate.is_dead)
            estimated_.push_back(candidate);
    std::sort(estimated_.begin(), estimated_.end(), has_farther_bound);
    n_touched_ = 0;
}

// An estimate that is a little too large puts a near node behind the beam's last; looking at half
// as many again finds most of those.
void
Search::take_spares() {
    for (std::size_t n = (options_.ef + 1) / 2; n > 0 && !memory_.discarded.is_empty(); --n)
        estimated_.push_back(memory_.discarded.pop());
    memory_.discarded.clear();
    std::sort(estimated_.begin(), estimated_.end(), has_farther_bound);
}

// Goes on from the nearest candidates that fell out of the beam; when the limits of an iterative
// scan are reached, returns those one by one.
bool
Search::resume() {
    if (memory_.discarded.is_empty())
        return false;
    if (is_drained_ || !has_room()) {
        is_drained_ = true;
        const core::Candidate next = memory_.discarded.pop();
        if (!next.is_dead)
            estimated_.push_back(next);
        return true;
    }
    memory_.beam.reset(options_.ef);
    for (std::size_t i = 0; i < options_.ef && !memory_.discarded.is_empty(); ++i) {
        core::Candidate candidate = memory_.discarded.pop();
        candidate.is_expanded = false;
        memory_.beam.insert(candidate, [](const core::Candidate&) {});
    }
    core::expand_beam(graph_, 0, memory_);
    take_beam();
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
Search::refine(const core::Candidate& candidate) {
    Waiting waiting = {};
    if (read_waiting(candidate, waiting))
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
