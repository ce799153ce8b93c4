// See chain.h.

#include "hnsw/pages/chain.h"

#include <algorithm>

#include "hnsw/pages/slots.h"
#include "pg/compat.h"

namespace vext::hnsw {

namespace {

bool
is_live_version(const std::uint8_t* record, std::uint16_t version) {
    return is_live_node(record) && head_of(record).version == version;
}

std::uint16_t
read_version(Index& index, NodeId id) {
    return with_record(index, id, [](const std::uint8_t* record) {
        return record == nullptr ? std::uint16_t{0} : head_of(record).version;
    });
}

enum class Outcome : std::uint8_t { kDone, kFull, kChanged };

// Puts the row where the node's own was, if vacuum has removed that.
bool
add_to_node(Index& index, NodeId id, std::uint16_t version, const Tid& tid) {
    return change_record(
        index, id,
        [&](const std::uint8_t* node) {
            return is_live_version(node, version) && !node_of(node).tid.is_valid();
        },
        [&](std::uint8_t* node) {
            node_of(node).tid = tid;
            head_of(node).flags |= kFlagAppended;
        });
}

// Puts the row into a chain's head record.
Outcome
add_to_record(Index& index, NodeId id, std::uint16_t version, NodeId chain_head, const Tid& tid) {
    Outcome outcome = Outcome::kChanged;
    change_two_records(
        index, id, chain_head,
        [&](const std::uint8_t* node, const std::uint8_t* tids) {
            if (!is_live_version(node, version) || node_of(node).tids_head != chain_head ||
                !holds_rows(tids, id))
                return false;
            const std::span<const Tid> rows = rows_of(tids, index.geometry);
            const bool has_place = std::ranges::find(rows, kNoTid) != rows.end();
            outcome = has_place ? Outcome::kDone : Outcome::kFull;
            return has_place;
        },
        [&](std::uint8_t* node, std::uint8_t* tids) {
            *std::ranges::find(rows_of(tids, index.geometry), kNoTid) = tid;
            head_of(node).flags |= kFlagAppended;
        });
    return outcome;
}

// Puts the row into a new record in front of the chain.
Outcome
add_new_record(Index& index, NodeId id, std::uint16_t version, NodeId chain_head, const Tid& tid) {
    const std::uint16_t next_version = chain_head == kNoNode ? 0 : read_version(index, chain_head);
    const NodeId record_id =
        write_new_record(index, false, [&](NodeId, std::uint8_t* record, std::uint8_t*) {
            init_tids(record, id, chain_head, next_version);
            rows_of(record, index.geometry)[0] = tid;
        });
    // The head's version too: it may have left the chain, been freed, and come back as its head.
    const bool is_done = change_two_records(
        index, id, chain_head == kNoNode ? id : chain_head,
        [&](const std::uint8_t* node, const std::uint8_t* head) {
            return is_live_version(node, version) && node_of(node).tids_head == chain_head &&
                   (chain_head == kNoNode || head_of(head).version == next_version);
        },
        [&](std::uint8_t* node, std::uint8_t*) {
            node_of(node).tids_head = record_id;
            head_of(node).flags |= kFlagAppended;
        });
    if (is_done)
        return Outcome::kDone;
    change_record(
        index, record_id, [&](const std::uint8_t* record) { return holds_rows(record, id); },
        free_record);
    return Outcome::kChanged;
}

// Takes the record `id` of `owner`, to which `before` points, out of the chain and frees it, if it
// still has no rows and its place.
bool
drop_record(Index& index, NodeId owner, NodeId before, NodeId id) {
    const bool is_head = before == owner;
    return change_two_records(
        index, before, id,
        [&](const std::uint8_t* previous, const std::uint8_t* record) {
            if (!holds_rows(record, owner) || has_rows(record, index.geometry))
                return false;
            return is_head ? is_node(previous) && node_of(previous).tids_head == id
                           : holds_rows(previous, owner) && tids_record(previous).next == id;
        },
        [&](std::uint8_t* previous, std::uint8_t* record) {
            if (is_head) {
                node_of(previous).tids_head = tids_record(record).next;
            } else {
                tids_record(previous).next = tids_record(record).next;
                tids_record(previous).next_version = tids_record(record).next_version;
            }
            free_record(record);
        });
}

}  // namespace

bool
join_node(Index& index, NodeId id, std::uint16_t version, const Tid& tid) {
    for (int i = 0; i < kMostChainReads; ++i) {
        CHECK_FOR_INTERRUPTS();
        NodeId chain_head = kNoNode;
        bool has_own_row = true;
        const bool is_live = with_record(index, id, [&](const std::uint8_t* record) {
            if (!is_live_version(record, version))
                return false;
            chain_head = node_of(record).tids_head;
            has_own_row = node_of(record).tid.is_valid();
            return true;
        });
        if (!is_live)
            return false;
        if (!has_own_row && add_to_node(index, id, version, tid))
            return true;
        Outcome outcome = chain_head == kNoNode
                              ? Outcome::kFull
                              : add_to_record(index, id, version, chain_head, tid);
        if (outcome == Outcome::kFull)
            outcome = add_new_record(index, id, version, chain_head, tid);
        if (outcome == Outcome::kDone)
            return true;
    }
    report_damage(index.relation, index.geometry.hot_place(id).block,
                  "a node's chain leads to a record that is not its own");
}

void
remove_row(Index& index, NodeId id, const Tid& tid) {
    int n_reads = 0;
    CircleWatch watch;
    for (NodeId current = id; current != kNoNode;) {
        CHECK_FOR_INTERRUPTS();
        NodeId next = kNoNode;
        bool is_ours = false;
        const bool is_here = change_record(
            index, current,
            [&](const std::uint8_t* record) {
                is_ours = current == id ? is_node(record) : holds_rows(record, id);
                if (!is_ours)
                    return false;
                next = current == id ? node_of(record).tids_head : tids_record(record).next;
                const std::span<const Tid> rows = rows_of(record, index.geometry);
                return std::find(rows.begin(), rows.end(), tid) != rows.end();
            },
            [&](std::uint8_t* record) {
                const std::span<Tid> rows = rows_of(record, index.geometry);
                *std::find(rows.begin(), rows.end(), tid) = kNoTid;
            });
        if (is_here)
            return;
        // A record that left the chain underneath, and perhaps came back: from the node again.
        const bool has_changed =
            current != id && (!is_ours || next == id || watch.is_met_again(current));
        if (has_changed && ++n_reads == kMostChainReads)
            report_damage(index.relation, index.geometry.hot_place(id).block,
                          "a node's chain leads to a record that is not its own");
        if (has_changed)
            watch = {};
        current = has_changed ? id : next;
    }
}

bool
collect_chain(Index& index, NodeId id, NodeId chain_head, core::Array<Tid>& tids) {
    std::uint16_t next_version = 0;
    CircleWatch watch;
    for (NodeId next = chain_head; next != kNoNode;) {
        CHECK_FOR_INTERRUPTS();
        if (watch.is_met_again(next))
            report_damage(index.relation, index.geometry.hot_place(id).block,
                          "a node's chain runs in a circle");
        const NodeId current = next;
        tids.reserve(tids.size() + index.geometry.tids_per_record);
        const bool is_ours = with_record(index, current, [&](const std::uint8_t* record) {
            if (!holds_rows(record, id) ||
                (current != chain_head && head_of(record).version != next_version))
                return false;
            for (const Tid& tid : rows_of(record, index.geometry))
                if (tid.is_valid())
                    tids.push_back(tid);
            next = tids_record(record).next;
            next_version = tids_record(record).next_version;
            return next != current;
        });
        if (!is_ours)
            return false;
    }
    return true;
}

void
drop_empty_records(Index& index, NodeId id) {
    NodeId before = id;  // what points to the record at hand: the node, or a record that stays
    CircleWatch watch;
    for (;;) {
        pg::delay_vacuum();
        NodeId current = kNoNode;
        with_record(index, before, [&](const std::uint8_t* record) {
            if (before == id)
                current = is_node(record) ? node_of(record).tids_head : kNoNode;
            else
                current = holds_rows(record, id) ? tids_record(record).next : kNoNode;
        });
        if (current == kNoNode)
            return;
        const bool is_empty = with_record(index, current, [&](const std::uint8_t* record) {
            return holds_rows(record, id) && !has_rows(record, index.geometry);
        });
        if (is_empty && drop_record(index, id, before, current))
            continue;
        before = current;
        if (watch.is_met_again(before))
            report_damage(index.relation, index.geometry.hot_place(id).block,
                          "a node's chain runs in a circle");
    }
}

}  // namespace vext::hnsw
