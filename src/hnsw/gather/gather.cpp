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
    /// Whether a build of `relation` sees the rows or what became of them: not where their file is
    /// another index's by now.
    bool
    is_seen_by_build(Relation relation) const {
        if (RelationGetRelid(relation) != oid)
            return false;
        return is_of_file(relation) || !OidIsValid(pg::find_relation_of(locator_));
    }
    bool
    is_empty() const {
        return rows_.is_empty();
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
        return prepare_vector(index_, vector, prepared_);
    }
    void add(std::span<const float> vector, const Tid& tid, const pg::HeapRow& row);
    void flush();

    const Oid oid;
    const MemoryContext context;
    Queue* next = nullptr;

   private:
    Relation open_target() const;
    std::size_t chunk_size(std::size_t n_values) const;
    void insert_all(Relation relation);
    void drop_aborted(Relation relation);
    void drop_replaced();

    const pg::FileLocator locator_;
    core::Arena arena_;
    Index index_;  // its relation is open only while a row comes or a flush runs
    core::Prepared prepared_;
    core::Array<QueuedRow> rows_;
    core::Array<Speculation> speculations_;
    std::span<float> room_;  // of the last chunk
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
      prepared_(index_.codec->allocate_prepared(arena_)),
      rows_(arena_),
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
    if (is_speculative)
        n_bytes += speculations_.next_growth() * sizeof(Speculation);
    return n_bytes;
}

void
Queue::add(std::span<const float> vector, const Tid& tid, const pg::HeapRow& row) {
    if (room_.size() < vector.size())
        room_ = arena_.allocate<float>(chunk_size(vector.size()));
    std::copy(vector.begin(), vector.end(), room_.begin());
    if (row.is_speculative)
        speculations_.push_back({tid, static_cast<std::uint32_t>(rows_.size()), row.digest});
    rows_.push_back({room_.data(), core::hash_vector(vector.data(), vector.size()), kNoNode, tid,
                     /*is_done=*/false});
    room_ = room_.subspan(vector.size());
}

// What the error context of a flush says.
void
describe_flush(void* relation) {
    errcontext("while inserting gathered rows into index \"%s\"",
               RelationGetRelationName(static_cast<Relation>(relation)));
}

// The index that the rows are for, as it is now; null when it is gone or was made anew, with the
// rows or without those that are gone. This transaction alone can have moved it: into a copy of its
// file (another tablespace), or by giving the file, and the table's, to another index.
Relation
Queue::open_target() const {
    const Relation relation = pg::open_locked_relation(oid);
    if (relation != nullptr) {
        if (is_of_file(relation) || has_seed(relation, index_.meta.rotation_seed))
            return relation;
        relation_close(relation, NoLock);
    }
    const Oid owner = pg::find_relation_of(locator_);
    return OidIsValid(owner) ? pg::open_relation(owner, RowExclusiveLock) : nullptr;
}

void
Queue::flush() {
    if (is_empty())
        return;
    const Relation relation = open_target();
    if (relation == nullptr)
        return;
    ErrorContextCallback callback = {error_context_stack, describe_flush, relation};
    error_context_stack = &callback;
    MemoryContext working =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw flush", ALLOCSET_DEFAULT_SIZES);
    pg::in_context(working, [&] { insert_all(relation); });
    MemoryContextDelete(working);
    pg::check_index_readers(relation);
    error_context_stack = callback.previous;
    relation_close(relation, NoLock);
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
    std::sort(speculations_.begin(), speculations_.end(), has_earlier_tid);
    drop_replaced();
    const Relation heap = table_open(relation->rd_index->indrelid, NoLock);
    for (const Speculation& speculation : speculations_.span()) {
        QueuedRow& row = rows_[speculation.row];
        if (row.is_done)
            continue;
        CHECK_FOR_INTERRUPTS();
        const pg::HeapRow now = pg::look_at_heap_row(heap, to_item_pointer(row.tid), true);
        row.is_done = now.xmin != GetTopTransactionIdIfAny() || now.digest != speculation.digest;
    }
    table_close(heap, NoLock);
    speculations_.clear();
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

Queue&
queue_of(Relation index) {
    for (Queue* queue = first_queue; queue != nullptr; queue = queue->next)
        if (queue->is_of(index))
            return *queue;
    LockRelationOid(RelationGetRelid(index), RowExclusiveLock);
    MemoryContext context = AllocSetContextCreate(TopTransactionContext, "hnsw gathered rows", 0,
                                                  kFirstBlock, kLargestBlock);
    core::Arena arena = pg::context_arena(context);
    Queue* queue = pg::in_context(context, [&] { return arena.make<Queue>(index, context); });
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

bool
has_room(const Queue& queue, std::size_t n_values, bool is_speculative) {
    return n_bytes_gathered() + queue.growth(n_values, is_speculative) <= n_most_bytes();
}

bool
may_gather(Relation heap, std::span<const float> vector) {
    return !is_closed && n_most_bytes() > kContextSlack + vector.size_bytes() &&
           pg::is_at_top_level() && pg::is_heap(heap);
}

}  // namespace

bool
gather_row(Relation heap, Relation index, std::span<const float> vector, const Tid& tid) {
    if (!may_gather(heap, vector))
        return false;
    Queue* queue = &queue_of(index);
    if (!queue->accepts(index, vector))
        return true;
    const pg::HeapRow row = pg::look_at_heap_row(heap, to_item_pointer(tid), false);
    if (!has_room(*queue, vector.size(), row.is_speculative)) {
        flush_all_gathered();
        queue = &queue_of(index);
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

void
flush_gathered(Relation index) {
    for (Queue** link = &first_queue; *link != nullptr;) {
        if ((*link)->oid == RelationGetRelid(index) || (*link)->is_of_file(index)) {
            (*link)->flush();
            remove_queue(link);
        } else {
            link = &(*link)->next;
        }
    }
}

void
flush_all_gathered() {
    while (first_queue != nullptr) {
        first_queue->flush();
        remove_queue(&first_queue);
    }
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
