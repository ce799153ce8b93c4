// See codec_cache.h.

#include "hnsw/pages/codec_cache.h"

#include <cmath>
#include <cstring>

#include "pg/compat.h"
#include "pg/memory.h"

namespace vext::hnsw {

namespace {

constexpr int kEntries = 16;

struct Entry {
    pg::FileLocator file;
    std::uint64_t rotation_seed;
    core::Metric metric;
    core::CodecKind kind;
    std::uint32_t n_dims;
    std::uint16_t code_bytes;
    bool has_centroid;
    MemoryContext context;  // null: not in use
    const core::Codec* codec;
    int n_users;
    std::uint64_t last_used;
};

constinit Entry entries[kEntries] = {};
constinit std::uint64_t n_uses = 0;

bool
is_of(const Entry& entry, const pg::FileLocator& file, const MetaPage& meta) {
    return entry.context != nullptr && std::memcmp(&entry.file, &file, sizeof(file)) == 0 &&
           entry.rotation_seed == meta.rotation_seed && entry.metric == meta.metric &&
           entry.kind == meta.codec && entry.n_dims == meta.n_dims() &&
           entry.code_bytes == meta.code_bytes && entry.has_centroid == (meta.has_centroid != 0);
}

// The place used longest ago, or null where all are in use.
Entry*
find_place() {
    Entry* place = nullptr;
    for (Entry& entry : entries)
        if (entry.n_users == 0 && (place == nullptr || entry.last_used < place->last_used))
            place = &entry;
    return place;
}

const float*
read_centroid(Relation relation, const MetaPage& meta, pg::BufferHints* hints) {
    if (!core::has_centroid(meta.codec))
        return nullptr;
    auto* centroid = static_cast<float*>(palloc0(meta.n_dims() * sizeof(float)));
    if (meta.has_centroid == 0)
        return centroid;
    constexpr std::uint32_t kPerPage = kUsableSize / sizeof(float);
    for (std::uint32_t first = 0; first < meta.n_dims(); first += kPerPage) {
        const std::uint32_t block = 1 + first / kPerPage;
        const std::uint32_t n = std::min<std::uint32_t>(kPerPage, meta.n_dims() - first);
        pg::with_page(relation, block, hints, [&](const std::uint8_t* page) {
            if (const char* problem = check_page(page, PageKind::kCentroid, block))
                report_damage(relation, block, problem);
            std::memcpy(centroid + first, page + kPageHeaderSize, n * sizeof(float));
        });
        for (std::uint32_t i = first; i < first + n; ++i)
            if (!std::isfinite(centroid[i]))
                report_damage(relation, block, "the centroid is not finite");
    }
    return centroid;
}

// In the current context.
const core::Codec*
read_codec(Relation relation, const MetaPage& meta, pg::BufferHints* hints) {
    return make_codec(meta, read_centroid(relation, meta, hints));
}

void
fill(Entry& entry, Relation relation, const MetaPage& meta, pg::BufferHints* hints) {
    // Until it is complete the context dies with the current one.
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw codec", ALLOCSET_SMALL_SIZES);
    const core::Codec* codec =
        pg::in_context(context, [&] { return read_codec(relation, meta, hints); });
    MemoryContextSetParent(context, TopMemoryContext);
    if (entry.context != nullptr)
        MemoryContextDelete(entry.context);
    entry = {.file = pg::file_locator(relation),
             .rotation_seed = meta.rotation_seed,
             .metric = meta.metric,
             .kind = meta.codec,
             .n_dims = meta.n_dims(),
             .code_bytes = meta.code_bytes,
             .has_centroid = meta.has_centroid != 0,
             .context = context,
             .codec = codec,
             .n_users = 0,
             .last_used = 0};
}

void
release(void* argument) {
    --static_cast<Entry*>(argument)->n_users;
}

}  // namespace

const core::Codec*
find_codec(Relation relation, const MetaPage& meta, pg::BufferHints* hints) {
    const pg::FileLocator file = pg::file_locator(relation);
    Entry* found = nullptr;
    for (Entry& entry : entries)
        if (is_of(entry, file, meta))
            found = &entry;
    if (found == nullptr) {
        found = find_place();
        if (found == nullptr)
            return read_codec(relation, meta, hints);
        fill(*found, relation, meta, hints);
    }
    auto* callback = static_cast<MemoryContextCallback*>(palloc(sizeof(MemoryContextCallback)));
    callback->func = release;
    callback->arg = found;
    MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
    ++found->n_users;
    found->last_used = ++n_uses;
    return found->codec;
}

}  // namespace vext::hnsw
