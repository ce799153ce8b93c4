// See gather.h and ../README.md, "Gathered rows".

#include "hnsw/gather/gather.h"

#include <algorithm>

#include "core/hash.h"
#include "hnsw/gather/flush.h"
#include "hnsw/graph/inserter.h"
#include "hnsw/options.h"
#include "pg/heap_row.h"
#include "pg/transaction.h"

namespace vext::hnsw {

namespace {

// Values lie in chunks that grow up to this size, or an eighth of what may be gathered.
constexpr std::size_t kLargestChunk = 1U << 20;
// Blocks of a queue's context. Of the server's usual sizes it would be an old one used again, which
// keeps another's idea of what is large enough for a block of its own.
constexpr std::size_t kFirstBlock = 2U << 10;
constexpr std::size_t kLargestBlock = 8U << 10;
// What a context may take beyond what is asked of it.
constexpr std::size_t kContextSlack = 2 * kLargestBlock;

// A row that was speculative when it came, and what to know it by at the flush.
struct Speculation {
    Tid tid;
    std::uint32_t row;  // its place among the rows
    std::uint64_t digest;
};

// The rows from `first` on are of this nest level of the transaction, up to those of the next one.
struct Watermark {
    int level;
    std::uint32_t first;
};

bool
has_earlier_tid(const Speculation& a, const Speculation& b) {
    return is_before(a.tid, b.tid);
}

// The rows that wait for one index file.
class Queue {
   public:
    Queue(Relation relation, MemoryContext context);
    Queue(const Queue&) = delete;

    bool
    is_of(Relation relation) const {
        return RelationGetRelid(relation) == oid && is_of_file(relation);
    }
    bool
    is_of_file(Relation relation) const {
        const pg::FileLocator locator = pg::file_locator(relation);
        return std::memcmp(&locator, &locator_, sizeof(locator)) == 0;
    }
    /// Whether a build of `relation` sees the rows or what became of them, for good: not where
    /// their file is another index's by now, or this one's again if a savepoint is rolled back.
    bool
    is_seen_by_build(Relation relation) const {
        if (RelationGetRelid(relation) != oid)
            return false;
        return is_of_file(relation) ||
               (!may_have_outer_rows() && !OidIsValid(pg::find_relation_of(locator_)));
    }
    std::size_t
    n_rows() const {
        return rows_.size();
    }
    /// Whether it was made in a subtransaction of this nest level or one inside, with its lock.
    bool
    is_of_level(int level) const {
        return level_ >= level;
    }
    std::size_t
    n_bytes() const {
        return MemoryContextMemAllocated(context, false);
    }
    /// Bytes that its context must grow by, at most, to take another row of so many floats.
    std::size_t growth(std::size_t n_values, bool is_speculative) const;

    /// Whether the vector is one to be indexed; raises what makes it invalid.
    bool
    accepts(Relation relation, std::span<const float> vector) {
        index_.relation = relation;
        return is_indexed(index_, vector, scratch_);
    }
    void add(std::span<const float> vector, const Tid& tid, const pg::HeapRow& row);

    /// Inserts the rows. False if they have to wait on: this subtransaction has taken away what
    /// they are for, and may be rolled back.
    bool flush();

    void hand_up(int level);
    void drop(int level);

    const Oid oid;
    const MemoryContext context;
    Queue* next = nullptr;

   private:
    Relation open_target() const;
    std::size_t chunk_size(std::size_t n_values) const;
    bool
    may_have_outer_rows() const {
        return level_ < pg::nest_level();
    }
    void truncate(std::size_t n);
    void insert_all(Relation relation);
    void drop_aborted(Relation relation);
    void drop_replaced();

    const pg::FileLocator locator_;
    core::Arena arena_;
    Index index_;  // its relation is open only while a row comes or a flush runs
    core::Prepared scratch_;
    int level_;  // of the subtransaction that made it, or took it over
    core::Array<QueuedRow> rows_;
    core::Array<Watermark> watermarks_;  // of rising levels
    core::Array<Speculation> speculations_;
    bool are_speculations_in_order_ = true;  // of their rows, but while a flush is at them
    std::span<float> chunk_;                 // the last one
    std::span<float> room_;                  // of it
};

static_assert(std::is_trivially_destructible_v<Queue>);

// Of this transaction.
constinit Queue* first_queue = nullptr;
constinit bool is_closed = false;

std::size_t
n_most_bytes() {
    return static_cast<std::size_t>(setting_insert_batch) * 1024;
}

Queue::Queue(Relation relation, MemoryContext own_context)
    : oid(RelationGetRelid(relation)),
      context(own_context),
      locator_(pg::file_locator(relation)),
      arena_(pg::context_arena(own_context)),
      index_(open_index(relation)),
      scratch_(index_.codec->allocate_prepared(arena_)),
      level_(pg::nest_level()),
      rows_(arena_),
      watermarks_(arena_),
      speculations_(arena_) {
}

// The next chunk takes as many values as there are, at least a row's.
std::size_t
Queue::chunk_size(std::size_t n_values) const {
    const std::size_t most = std::min(kLargestChunk, n_most_bytes() / 8) / sizeof(float);
    return std::max(n_values, std::min(most, rows_.size() * n_values));
}

std::size_t
Queue::growth(std::size_t n_values, bool is_speculative) const {
    std::size_t n_bytes = kContextSlack;
    if (room_.size() < n_values)
        n_bytes += chunk_size(n_values) * sizeof(float);
    n_bytes += rows_.next_growth() * sizeof(QueuedRow);
    n_bytes += watermarks_.next_growth() * sizeof(Watermark);
    if (is_speculative)
        n_bytes += speculations_.next_growth() * sizeof(Speculation);
    return n_bytes;
}

// An error on the way drops what was added, with all rows of the subtransaction at hand.
void
Queue::add(std::span<const float> vector, const Tid& tid, const pg::HeapRow& row) {
    if (room_.size() < vector.size())
        room_ = chunk_ = arena_.allocate<float>(chunk_size(vector.size()));
    std::copy(vector.begin(), vector.end(), room_.begin());
    const auto place = static_cast<std::uint32_t>(rows_.size());
    if (watermarks_.is_empty() || watermarks_.back().level < pg::nest_level())
        watermarks_.push_back({pg::nest_level(), place});
    if (row.is_speculative)
        speculations_.push_back({tid, place, row.digest});
    rows_.push_back({room_.data(), core::hash_vector(vector.data(), vector.size()), kNoNode, tid,
                     /*is_done=*/false});
    room_ = room_.subspan(vector.size());
}

// The subtransaction of this level has committed.
void
Queue::hand_up(int level) {
    level_ = std::min(level_, level - 1);
    if (watermarks_.is_empty() || watermarks_.back().level < level)
        return;
    const std::size_t n = watermarks_.size();
    if (n > 1 && watermarks_[n - 2].level == level - 1)
        watermarks_.pop_back();
    else
        watermarks_.back().level = level - 1;
}

// The subtransaction of this level was rolled back.
void
Queue::drop(int level) {
    while (!watermarks_.is_empty() && watermarks_.back().level >= level) {
        truncate(watermarks_.back().first);
        watermarks_.pop_back();
    }
}

// Keeps the first `n` rows. The others lie behind them, and what lies in the last chunk gives room.
void
Queue::truncate(std::size_t n) {
    if (n >= rows_.size())
        return;
    const float* first = rows_[n].values;
    const bool is_in_chunk = first >= chunk_.data() && first <= chunk_.data() + chunk_.size();
    room_ = is_in_chunk ? chunk_.subspan(static_cast<std::size_t>(first - chunk_.data())) : chunk_;
    rows_.truncate(n);
    const auto is_dropped = [n](const Speculation& speculation) { return speculation.row >= n; };
    if (are_speculations_in_order_) {
        while (!speculations_.is_empty() && is_dropped(speculations_.back()))
            speculations_.pop_back();
    } else {
        const Speculation* end =
            std::remove_if(speculations_.begin(), speculations_.end(), is_dropped);
        speculations_.truncate(static_cast<std::size_t>(end - speculations_.begin()));
    }
}

// What the error context of a flush says.
void
describe_flush(void* relation) {
    errcontext("while inserting gathered rows into index \"%s\"",
               RelationGetRelationName(static_cast<Relation>(relation)));
}

[[noreturn]] void
report_copy(Relation relation) {
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("index \"%s\" was moved while rows waited for it",
                   RelationGetRelationName(relation)),
            errdetail("They are of a transaction, or a savepoint, that goes on outside."),
            errhint("Set vector_ext.insert_batch to 0."));
    pg_unreachable();
}

// The index that the rows are for, as it is now; null when it is gone or was made anew, with the
// rows or without those that are gone. This transaction alone can have moved it: into a copy of its
// file (another tablespace), or by giving the file, and the table's, to another index.
Relation
Queue::open_target() const {
    const Relation relation = pg::open_locked_relation(oid);
    if (relation != nullptr) {
        if (is_of_file(relation))
            return relation;
        if (has_seed(relation, index_.meta.rotation_seed)) {
            // With a savepoint the copy may go, and rows that were there before it.
            if (may_have_outer_rows())
                report_copy(relation);
            return relation;
        }
        relation_close(relation, NoLock);
    }
    const Oid owner = pg::find_relation_of(locator_);
    return OidIsValid(owner) ? pg::open_relation(owner, RowExclusiveLock) : nullptr;
}

bool
Queue::flush() {
    if (rows_.is_empty())
        return true;
    const Relation relation = open_target();
    if (relation == nullptr)
        return !may_have_outer_rows();
    ErrorContextCallback callback = {error_context_stack, describe_flush, relation};
    error_context_stack = &callback;
    MemoryContext working =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw flush", ALLOCSET_DEFAULT_SIZES);
    pg::in_context(working, [&] { insert_all(relation); });
    MemoryContextDelete(working);
    pg::check_index_readers(relation);
    error_context_stack = callback.previous;
    relation_close(relation, NoLock);
    return true;
}

void
Queue::insert_all(Relation relation) {
    reopen_index(index_, relation);
    if (!speculations_.is_empty())
        drop_aborted(relation);
    insert_rows(index_, rows_.span());
}

// Drops the rows whose insertion ON CONFLICT has taken back. What is then left of them is not
// speculative any more, or still is and will be seen by whoever vacuums it: the next flush need not
// look again.
void
Queue::drop_aborted(Relation relation) {
    are_speculations_in_order_ = false;
    std::sort(speculations_.begin(), speculations_.end(), has_earlier_tid);
    drop_replaced();
    const Relation heap = table_open(relation->rd_index->indrelid, NoLock);
    for (const Speculation& speculation : speculations_.span()) {
        QueuedRow& row = rows_[speculation.row];
        if (row.is_done)
            continue;
        CHECK_FOR_INTERRUPTS();
        const pg::HeapRow now = pg::look_at_heap_row(heap, to_item_pointer(row.tid), true);
        row.is_done = !pg::is_of_this_transaction(now.xmin) || now.digest != speculation.digest;
    }
    table_close(heap, NoLock);
    speculations_.clear();
    are_speculations_in_order_ = true;
}

// Drops the rows whose TID came again with a later row: the first was taken back and vacuumed.
void
Queue::drop_replaced() {
    for (std::uint32_t i = 0; i < rows_.size(); ++i) {
        const auto [first, last] =
            std::equal_range(speculations_.begin(), speculations_.end(),
                             Speculation{rows_[i].tid, 0, 0}, has_earlier_tid);
        for (const Speculation* earlier = first; earlier != last; ++earlier)
            if (earlier->row < i)
                rows_[earlier->row].is_done = true;
    }
}

std::size_t
n_bytes_gathered() {
    std::size_t n_bytes = 0;
    for (const Queue* queue = first_queue; queue != nullptr; queue = queue->next)
        n_bytes += queue->n_bytes();
    return n_bytes;
}

// An error leaves nothing behind: what is not complete dies with the current context.
Queue&
queue_of(Relation heap, Relation index) {
    for (Queue* queue = first_queue; queue != nullptr; queue = queue->next)
        if (queue->is_of(index))
            return *queue;
    pg::lock_for_transaction(RelationGetRelid(heap), RowExclusiveLock);
    pg::lock_for_transaction(RelationGetRelid(index), RowExclusiveLock);
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hnsw gathered rows", 0,
                                                  kFirstBlock, kLargestBlock);
    core::Arena arena = pg::context_arena(context);
    Queue* queue = pg::in_context(context, [&] { return arena.make<Queue>(index, context); });
    MemoryContextSetParent(context, TopTransactionContext);
    queue->next = first_queue;
    first_queue = queue;
    return *queue;
}

// Takes the queue out of the list, whose member `link` points to it, and frees it.
void
remove_queue(Queue** link) {
    Queue* queue = *link;
    *link = queue->next;
    MemoryContextDelete(queue->context);
}

// Inserts what waits in the queue that `link` points to; returns the link behind it.
Queue**
flush_queue(Queue** link) {
    if (!(*link)->flush())
        return &(*link)->next;
    remove_queue(link);
    return link;
}

bool
has_room(const Queue& queue, std::size_t n_values, bool is_speculative) {
    return n_bytes_gathered() + queue.growth(n_values, is_speculative) <= n_most_bytes();
}

bool
may_gather(Relation heap, std::span<const float> vector) {
    return !is_closed && n_most_bytes() > kContextSlack + vector.size_bytes() && pg::is_heap(heap);
}

}  // namespace

bool
gather_row(Relation heap, Relation index, std::span<const float> vector, const Tid& tid) {
    if (!may_gather(heap, vector))
        return false;
    Queue* queue = &queue_of(heap, index);
    if (!queue->accepts(index, vector))
        return true;
    const pg::HeapRow row = pg::look_at_heap_row(heap, to_item_pointer(tid), false);
    if (!has_room(*queue, vector.size(), row.is_speculative)) {
        flush_all_gathered();
        queue = &queue_of(heap, index);
        if (!has_room(*queue, vector.size(), row.is_speculative)) {
            remove_queue(&first_queue);
            return false;
        }
    }
    queue->add(vector, tid, row);
    return true;
}

bool
has_gathered() {
    return first_queue != nullptr;
}

std::size_t
n_gathered(Oid index) {
    std::size_t n = 0;
    for (const Queue* queue = first_queue; queue != nullptr; queue = queue->next)
        n += queue->oid == index ? queue->n_rows() : 0;
    return n;
}

void
flush_gathered(Relation index) {
    for (Queue** link = &first_queue; *link != nullptr;) {
        if ((*link)->oid == RelationGetRelid(index) || (*link)->is_of_file(index))
            link = flush_queue(link);
        else
            link = &(*link)->next;
    }
}

void
flush_all_gathered() {
    for (Queue** link = &first_queue; *link != nullptr;)
        link = flush_queue(link);
}

void
discard_gathered(Relation index) {
    for (Queue** link = &first_queue; *link != nullptr;) {
        if ((*link)->is_seen_by_build(index))
            remove_queue(link);
        else
            link = &(*link)->next;
    }
}

void
hand_gathered_up(int level) {
    for (Queue* queue = first_queue; queue != nullptr; queue = queue->next)
        queue->hand_up(level);
}

void
drop_gathered_of(int level) {
    for (Queue** link = &first_queue; *link != nullptr;) {
        if ((*link)->is_of_level(level)) {
            remove_queue(link);
        } else {
            (*link)->drop(level);
            link = &(*link)->next;
        }
    }
}

void
close_gathering() {
    flush_all_gathered();
    is_closed = true;
}

void
forget_gathered() {
    first_queue = nullptr;
    is_closed = false;
}

}  // namespace vext::hnsw
