// See create.h.

#include "hnsw/pages/create.h"

#include <algorithm>

#include "core/codec/codec.h"
#include "hnsw/opclass.h"
#include "hnsw/options.h"
#include "hnsw/pages/column.h"
#include "hnsw/pages/slots.h"
#include "pg/memory.h"
#include "pg/page.h"
#include "pg/random.h"
#include "pg/wal.h"

namespace vext::hnsw {

namespace {

// No metric reaches more: the widest codes fill a page.
constexpr std::uint32_t kMostDims = 16000;
constexpr std::uint32_t kMostBits = 64000;

// Of a sparse vector, where there are no rows to learn from.
constexpr std::size_t kUsualEntries = 256;

// So few cost little, and leave room for a row with more than others.
constexpr std::size_t kFewestEntries = 16;

void
set_codec(MetaPage& meta, core::CodecKind codec, std::size_t n_entries = 0) {
    meta.codec = codec;
    const core::CodecSizes sizes = core::codec_sizes(codec, meta.n_dims(), n_entries);
    meta.has_inline_error = sizes.has_inline_error;
    meta.code_bytes =
        static_cast<std::uint16_t>(std::min<std::size_t>(sizes.code_bytes, UINT16_MAX));
    meta.residual_bytes =
        static_cast<std::uint16_t>(std::min<std::size_t>(sizes.residual_bytes, UINT16_MAX));
}

MetaPage
empty_meta(core::Metric metric, std::uint32_t n_dims, std::uint32_t m) {
    MetaPage meta = {};
    meta.magic = kMetaMagic;
    meta.version = kFormatVersion;
    meta.metric = metric;
    meta.set_n_dims(n_dims);
    meta.m = static_cast<std::uint16_t>(m);
    meta.entry_node = kNoNode;
    return meta;
}

MetaPage
meta_for(core::Metric metric, std::uint32_t n_dims, std::uint32_t m) {
    MetaPage meta = empty_meta(metric, n_dims, m);
    set_codec(meta, core::codec_for(metric, n_dims));
    return meta;
}

std::uint32_t
n_records_for(MetaPage meta, std::size_t n_entries) {
    set_codec(meta, core::CodecKind::kSparse, n_entries);
    return geometry_of(meta).hot_per_page;
}

bool
fits_a_page(core::Metric metric, std::uint32_t n_dims, std::uint32_t m) {
    return geometry_of(meta_for(metric, n_dims, m)).hot_per_page > 0;
}

// The largest number of dimensions that fits: record sizes grow with it.
std::uint32_t
max_dims(core::Metric metric, std::uint32_t m) {
    std::uint32_t fits = 1;
    std::uint32_t too_many = (core::is_of_bits(metric) ? kMostBits : kMostDims) + 1;
    while (too_many - fits > 1) {
        const std::uint32_t middle = (fits + too_many) / 2;
        (fits_a_page(metric, middle, m) ? fits : too_many) = middle;
    }
    return metric == core::Metric::kL1 || core::is_of_bits(metric)
               ? fits
               : std::min<std::uint32_t>(fits, 8000);
}

}  // namespace

MetaPage
make_meta(const Definition& definition) {
    if (definition.ef_construction < 2 * definition.m)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("ef_construction must be greater than or equal to 2 * m"));
    const auto n_dims = static_cast<std::uint32_t>(definition.n_dims);
    const auto m = static_cast<std::uint32_t>(definition.m);
    if (definition.n_entries > 0) {
        MetaPage meta = empty_meta(definition.metric, n_dims, m);
        take_entries(meta, definition.n_entries);
        return meta;
    }
    const std::uint32_t most = max_dims(definition.metric, m);
    if (n_dims > most)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("column cannot have more than %u dimensions for hnsw index", most),
                core::is_of_bits(definition.metric) && most < kMostBits
                    ? errdetail("With m = %u a page has no room for more bits beside links.", m)
                    : 0);
    return meta_for(definition.metric, n_dims, m);
}

MetaPage
make_meta(Relation index) {
    check_settings_defined();
    const int n_dims = column_dims(index);
    MetaPage meta =
        make_meta({metric_of(index), n_dims, option_m(index), option_ef_construction(index),
                   has_sparse_values(index) ? kUsualEntries : 0});
    meta.rotation_seed = pg::random_bits();
    return meta;
}

void
take_entries(MetaPage& meta, std::size_t n_entries) {
    const std::size_t most =
        std::min<std::size_t>({meta.n_dims(), core::kMaxSparseEntries, core::kMostEntriesOfCode});
    std::size_t n = std::min(std::max(n_entries, kFewestEntries), most);
    while (n_records_for(meta, n) == 0)
        --n;
    const std::uint32_t n_records = n_records_for(meta, n);
    while (n < most && n_records_for(meta, n + 1) == n_records)
        ++n;
    set_codec(meta, core::CodecKind::kSparse, n);
}

void
take_finer_codec(MetaPage& meta) {
    if (meta.codec != core::CodecKind::kScalar4)
        return;
    MetaPage finer = meta;
    set_codec(finer, core::CodecKind::kScalar8);
    if (geometry_of(finer).hot_per_page > 0)
        meta = finer;
}

void
write_first_pages(Relation index, ForkNumber fork, const MetaPage& meta, const float* centroid) {
    const Geometry geometry = geometry_of(meta);
    auto* page = static_cast<std::uint8_t*>(palloc(kPageSize));
    init_page(page, PageKind::kMeta, kMetaBlock);
    std::memcpy(page + kPageHeaderSize, &meta, sizeof(meta));
    pg::write_page(index, fork, P_NEW, page);
    constexpr std::uint32_t kPerPage = kUsableSize / sizeof(float);
    for (std::uint32_t i = 0; i < geometry.centroid_blocks; ++i) {
        const std::uint32_t first = i * kPerPage;
        const std::uint32_t n = std::min<std::uint32_t>(kPerPage, meta.n_dims() - first);
        init_page(page, PageKind::kCentroid, 1 + i);
        if (centroid != nullptr)
            std::memcpy(page + kPageHeaderSize, centroid + first, n * sizeof(float));
        pg::write_page(index, fork, P_NEW, page);
    }
    pfree(page);
}

}  // namespace vext::hnsw
