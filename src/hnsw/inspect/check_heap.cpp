// See check_heap.h.

#include "hnsw/inspect/check_heap.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/bitmap.h"
#include "core/hash.h"
#include "hnsw/opclass.h"
#include "hnsw/options.h"
#include "hnsw/pages/chain.h"

namespace vext::hnsw {

namespace {

// No codec leaves out more of a vector.
constexpr double kMostRelativeError = 0.1;
constexpr double kRounding = 1e-5;

class HeapCheck {
   public:
    HeapCheck(Index& index, std::span<const Row> rows, core::Array<Finding>& findings)
        : index_(&index),
          rows_(rows),
          findings_(&findings),
          arena_(pg::context_arena(CurrentMemoryContext)),
          seen_(arena_, rows.size()),
          prepared_(index.codec->allocate_prepared(arena_)),
          decoded_(arena_.allocate<float>(index.codec->n_padded())),
          code_(arena_.allocate<std::uint8_t>(index.meta.code_bytes)),
          row_context_(AllocSetContextCreate(CurrentMemoryContext, "hnsw check row",
                                             ALLOCSET_DEFAULT_SIZES)) {}

    static void
    take_row(Relation, ItemPointer tid, Datum* values, bool* is_null, bool, void* state) {
        if (!is_null[0])
            static_cast<HeapCheck*>(state)->check_row(to_tid(*tid), values[0]);
    }

    /// After all visible rows were taken: the rest of the index's rows.
    void check_unseen(Relation heap);

   private:
    void report(NodeId id, const char* problem);
    void check_row(const Tid& tid, Datum value);
    NodeId node_of_record(NodeId record_id);
    bool is_code_of(NodeId id, std::span<const float> vector);
    bool is_own_code(const std::uint8_t* record) const;
    bool has_offset(float offset) const;
    bool has_norm_change(float norm_change) const;
    bool is_within(double error) const;

    Index* index_;
    std::span<const Row> rows_;
    core::Array<Finding>* findings_;
    core::Arena arena_;
    core::Bitmap seen_;  // beside rows_
    core::Prepared prepared_;
    std::span<float> decoded_;
    std::span<std::uint8_t> code_;
    MemoryContext row_context_;
};

void
HeapCheck::report(NodeId id, const char* problem) {
    if (findings_->size() == kMostFindings)
        return;
    const std::uint32_t block = id == kNoNode ? kMetaBlock : index_->geometry.hot_place(id).block;
    findings_->push_back({block, id, problem, Severity::kDamage});
}

void
HeapCheck::check_row(const Tid& tid, Datum value) {
    CHECK_FOR_INTERRUPTS();
    pg::in_context(row_context_, [&] {
        const IndexedValue vector(index_->relation, value);
        if (vector.n_dims() != index_->meta.n_dims())
            return report(kNoNode, "a row of the table has other dimensions than the index");
        if (index_->codec->prepare(vector.numbers().data(), prepared_) ==
            core::PrepareStatus::kZeroVector)
            return;
        const auto row =
            std::lower_bound(rows_.begin(), rows_.end(), tid,
                             [](const Row& a, const Tid& b) { return is_before(a.tid, b); });
        if (row == rows_.end() || !(row->tid == tid))
            return report(kNoNode, "a row of the table is not in the index");
        seen_.set(static_cast<std::size_t>(row - rows_.begin()));
        const NodeId id = node_of_record(row->record);
        if (id != kNoNode && !is_code_of(id, vector.numbers()))
            report(id, "a node's code is not of its row's vector");
    });
    MemoryContextReset(row_context_);
}

// The node whose rows a record holds; kNoNode when that cannot be told any more.
NodeId
HeapCheck::node_of_record(NodeId record_id) {
    return with_record(*index_, record_id, [&](const std::uint8_t* record) {
        if (is_node(record))
            return record_id;
        if (record != nullptr && head_of(record).kind == RecordKind::kTids)
            return owner_of(record);
        return kNoNode;
    });
}

// Whether hash and code can be the vector's, which is in prepared_: what code and residual say of
// it must be as near as the error they state, and that error must be a small one.
bool
HeapCheck::is_code_of(NodeId id, std::span<const float> vector) {
    const Geometry& geometry = index_->geometry;
    const std::uint32_t hash = core::hash_vector(vector.data(), vector.size());
    const auto is_near = [&](const std::uint8_t* record, const std::uint8_t* residual) {
        if (!is_node(record))
            return true;  // taken out meanwhile
        if (node_of(record).hash != hash || (head_of(record).flags & kFlagDead) != 0)
            return false;
        if (index_->meta.codec == core::CodecKind::kBits)
            return std::memcmp(code_of(record, geometry), vector.data(), geometry.code_bytes) == 0;
        if (index_->meta.is_sparse())
            return is_own_code(record);
        const core::CodeHeader header = code_header(record, index_->geometry);
        core::ResidualHeader cold = {0, header.error, 0};
        if (residual != nullptr)
            std::memcpy(&cold, residual, sizeof(cold));
        index_->codec->decode(header, code_of(record, geometry), residual, decoded_.data());
        return has_offset(header.offset) && is_within(cold.error) &&
               (residual == nullptr || has_norm_change(cold.norm_change));
    };
    const Place hot = geometry.hot_place(id);
    if (geometry.cold_bytes == 0)
        return with_record(*index_, id,
                           [&](const std::uint8_t* record) { return is_near(record, nullptr); });
    const Place cold = geometry.cold_place(id);
    check_cold_block(*index_, cold.block);
    return pg::with_two_pages(index_->relation, hot.block, cold.block, index_->hints,
                              [&](const std::uint8_t* hot_page, const std::uint8_t* cold_page) {
                                  return is_near(hot_page + hot.offset, cold_page + cold.offset);
                              });
}

// Whether header and code are those of prepared_, to the last bit.
bool
HeapCheck::is_own_code(const std::uint8_t* record) const {
    const Geometry& geometry = index_->geometry;
    const core::CodeHeader header = code_header(record, geometry);
    core::CodeHeader expected = {};
    index_->codec->encode(prepared_, expected, code_.data(), nullptr);
    return header.factor == expected.factor && header.offset == expected.offset &&
           header.error == expected.error &&
           std::memcmp(code_of(record, geometry), code_.data(), code_.size()) == 0;
}

// Whether this is the part of a distance that depends on the vector in prepared_ alone.
bool
HeapCheck::has_offset(float offset) const {
    if (!core::is_rotated(index_->meta.codec))
        return true;
    return std::fabs(offset - prepared_.offset) <=
           kRounding * (1 + std::fabs(prepared_.offset) + prepared_.squared_norm);
}

// Whether this is what coding has changed of the squared norm of prepared_.
bool
HeapCheck::has_norm_change(float norm_change) const {
    double squared_norm = 0;
    for (const float value : decoded_)
        squared_norm += static_cast<double>(value) * value;
    return std::fabs(squared_norm - prepared_.squared_norm - norm_change) <=
           kRounding * (1 + prepared_.squared_norm);
}

// Whether decoded_ is within `error` of prepared_, by the metric's norm. Another machine's kernels
// may have rounded the prepared vector otherwise.
bool
HeapCheck::is_within(double error) const {
    const bool is_l1 = index_->meta.metric == core::Metric::kL1;
    double norm = 0;
    double distance = 0;
    for (std::size_t i = 0; i < decoded_.size(); ++i) {
        const double value = prepared_.values[i];
        const double difference = value - decoded_[i];
        norm += is_l1 ? std::fabs(value) : value * value;
        distance += is_l1 ? std::fabs(difference) : difference * difference;
    }
    if (!is_l1) {
        norm = std::sqrt(norm);
        distance = std::sqrt(distance);
    }
    // What preparing lost, much where a short vector was normalised, is part of the error.
    const double most_error = kMostRelativeError * norm + kRounding + 1.01 * prepared_.error;
    return error >= 0 && error <= most_error && distance <= error + kRounding * (1 + norm);
}

// A row that is not visible may still be there (dead, or not committed), but its line pointer must
// be in use until vacuum has taken the row out of the index.
void
HeapCheck::check_unseen(Relation heap) {
    const BlockNumber n_blocks = RelationGetNumberOfBlocks(heap);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (seen_.has(i))
            continue;
        CHECK_FOR_INTERRUPTS();
        const ItemPointerData pointer = to_item_pointer(rows_[i].tid);
        const BlockNumber block = ItemPointerGetBlockNumberNoCheck(&pointer);
        const OffsetNumber position = ItemPointerGetOffsetNumberNoCheck(&pointer);
        if (block < n_blocks && pg::has_line_pointer(heap, block, position))
            continue;
        if (holds_row(*index_, rows_[i]))
            report(rows_[i].record, "a row of the index is not in the table");
    }
}

}  // namespace

bool
holds_row(Index& index, const Row& row) {
    return with_record(index, row.record, [&](const std::uint8_t* record) {
        if (record == nullptr)
            return false;
        const std::span<const Tid> rows = rows_of(record, index.geometry);
        return std::find(rows.begin(), rows.end(), row.tid) != rows.end();
    });
}

void
check_heap(Index& index, Relation heap, Snapshot snapshot, std::span<const Row> rows,
           core::Array<Finding>& findings) {
    IndexInfo* info = BuildIndexInfo(index.relation);
    info->ii_Concurrent = true;  // reads by a snapshot, not all that is there
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    HeapCheck* check = arena.make<HeapCheck>(index, rows, findings);
    const TableScanDesc scan = table_beginscan_strat(heap, snapshot, 0, nullptr, true, true);
    table_index_build_scan(heap, index.relation, info, true, false, HeapCheck::take_row, check,
                           scan);
    check->check_unseen(heap);
}

}  // namespace vext::hnsw
