// Any bytes as an index file: what the checks let pass can be walked without leaving the page, and
// any bytes as codes give distances that are numbers.
//
// The input is a metapage's fields, then a hot page, its records one after the other, then a
// residual; it is copied into blocks of their exact sizes, and filled up with zeros.

#include "hnsw/pages/record.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../unit/test_arena.h"

namespace {

using namespace vext;
using namespace vext::hnsw;

void
require(bool condition) {
    if (!condition)
        __builtin_trap();
}

class Input {
   public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

    void
    take(void* out, std::size_t n_bytes) {
        auto* bytes = static_cast<std::uint8_t*>(out);
        const std::size_t n = std::min(n_bytes, size_);
        std::copy_n(data_, n, bytes);
        std::fill_n(bytes + n, n_bytes - n, std::uint8_t{0});
        data_ += n;
        size_ -= n;
    }

   private:
    const std::uint8_t* data_;
    std::size_t size_;
};

// Small sizes and sound fields: an input that is nothing but noise seldom gets beyond the metapage.
void
make_likely(MetaPage& meta) {
    meta.magic = kMetaMagic;
    meta.metric = static_cast<core::Metric>(static_cast<unsigned>(meta.metric) % 6);
    const bool is_sparse = meta.is_sparse() && !core::is_of_bits(meta.metric);
    meta.set_n_dims(1 + meta.n_dims() % (is_sparse ? 100000 : 600));
    meta.m = static_cast<std::uint16_t>(kMinM + meta.m % (kMaxM - kMinM + 1));
    meta.codec = is_sparse ? core::CodecKind::kSparse : core::codec_for(meta.metric, meta.n_dims());
    const core::CodecSizes sizes =
        core::codec_sizes(meta.codec, meta.n_dims(), 1 + meta.code_bytes % 300);
    meta.code_bytes = static_cast<std::uint16_t>(sizes.code_bytes);
    meta.residual_bytes = static_cast<std::uint16_t>(sizes.residual_bytes);
    meta.has_inline_error = sizes.has_inline_error;
    meta.n_slots -= meta.n_slots % std::max(1u, geometry_of(meta).slots_per_extent());
    meta.entry_node = kNoNode;
}

std::uint64_t
walk_links(std::span<const Link> links, std::uint32_t n_slots) {
    std::uint64_t sum = 0;
    for (const Link& link : links) {
        require(number_of(link.id()) < n_slots);
        sum += number_of(link.id());
    }
    return sum;
}

// Reads all that a record which passed the check may hold.
std::uint64_t
walk_record(const std::uint8_t* record, const Geometry& geometry, const MetaPage& meta) {
    const RecordHead& head = head_of(record);
    std::uint64_t sum = 0;
    switch (head.kind) {
        case RecordKind::kFree:
            break;
        case RecordKind::kNode:
            require(head.layer <= geometry.max_layer);
            sum += walk_links(links_of(record, geometry, 0), meta.n_slots);
            for (std::uint32_t i = 0; i < meta.code_bytes; ++i)
                sum += code_of(record, geometry)[i];
            break;
        case RecordKind::kLinks:
            for (int layer = 1; layer <= head.layer; ++layer)
                sum += walk_links(links_of(record, geometry, layer), meta.n_slots);
            break;
        case RecordKind::kTids:
            require(number_of(owner_of(record)) < meta.n_slots);
            for (const Tid& tid : rows_of(record, geometry))
                sum += tid.position;
            break;
    }
    return sum;
}

// Reads a node's code as a search does, whatever is in it.
void
measure_code(const MetaPage& meta, const Geometry& geometry, const std::uint8_t* record,
             const std::vector<std::uint8_t>& residual) {
    test::TestArena memory;
    const std::vector<float> centroid(meta.is_sparse() ? 1 : meta.n_dims(), 0.25f);
    const core::Rotation rotation(memory.arena(), centroid.size(), meta.rotation_seed);
    const core::Codec codec(meta.codec, meta.metric, meta.n_dims(), centroid.data(), &rotation,
                            meta.n_entries());
    require(codec.code_bytes() == meta.code_bytes);
    std::vector<float> vector(codec.n_any_values(), -0.5f);
    if (meta.is_sparse())
        codec.any_value(vector.data());
    else
        vector[0] = 3;
    core::Prepared prepared = codec.allocate_prepared(memory.arena());
    core::Query query = codec.allocate_query(memory.arena());
    require(codec.prepare(vector.data(), prepared) == core::PrepareStatus::kReady);
    codec.prepare_query(prepared, query);

    const core::CodeHeader header = code_header(record, geometry);
    const std::uint8_t* code = code_of(record, geometry);
    const std::uint8_t* rest = residual.empty() ? nullptr : residual.data();
    require(!std::isnan(codec.distance(query, header, code)));
    const core::Refined refined = codec.refine(query, header, code, rest);
    require(!std::isnan(refined.distance) && !std::isnan(refined.lower_bound));
    codec.estimate_error(query, header);
    std::vector<float> values(codec.n_padded());
    codec.decode(header, code, rest, values.data());
    core::Query from_code = codec.allocate_query(memory.arena());
    codec.query_from_code(header, code, from_code);
    require(!std::isnan(codec.distance(from_code, header, code)));
    codec.check(header, code);
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    std::uint8_t is_raw = 0;
    input.take(&is_raw, 1);
    MetaPage meta;
    input.take(&meta, sizeof(meta));
    if (is_raw % 8 != 0)
        make_likely(meta);
    if (check_meta(meta) != nullptr)
        return 0;
    const Geometry geometry = geometry_of(meta);
    require(geometry.hot_per_page > 0 && geometry.slots_per_extent() > 0);

    std::vector<std::uint8_t> page(kPageSize);
    init_page(page.data(), PageKind::kHot, geometry.first_block);
    for (std::uint32_t i = 0; i < geometry.hot_per_page; ++i)
        input.take(hot_record(page.data(), geometry, i), geometry.hot_bytes);
    require(check_page(page.data(), PageKind::kHot, geometry.first_block) == nullptr);
    std::vector<std::uint8_t> residual(meta.residual_bytes);
    input.take(residual.data(), residual.size());

    const NodeId first = geometry.first_id_of(geometry.first_block);
    volatile std::uint64_t sum = 0;  // so that nothing of the walk is left out
    for (std::uint32_t i = 0; i < geometry.hot_per_page; ++i) {
        const Place place = geometry.hot_place(first + i);
        require(place.block == geometry.first_block);
        require(place.offset + geometry.hot_bytes <= kPageSize - sizeof(PageTrailer));
        const std::uint8_t* record = &page[place.offset];
        if (check_record(record, geometry, meta.n_slots) != nullptr)
            continue;
        sum = sum + walk_record(record, geometry, meta);
        if (i == 0)
            measure_code(meta, geometry, record, residual);
    }
    return 0;
}
