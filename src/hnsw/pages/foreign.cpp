// See foreign.h.

#include "hnsw/pages/foreign.h"

#include <cstring>

#include "hnsw/pages/layout.h"
#include "pg/page.h"
#include "pg/relation_note.h"
#include "pg/wal.h"

namespace vext::hnsw {

namespace {

// The first field behind the page header of pgvector's metapages, and what we put there.
constexpr std::uint32_t kTheirHnswMagic = 0xA953A953;
constexpr std::uint32_t kTheirIvfflatMagic = 0x14FF1A7;
constexpr std::uint32_t kRetiredMagic = 0x44525456;  // "VTRD"

constexpr const char* kHint = "REINDEX INDEX CONCURRENTLY makes it an index of this library.";

std::uint32_t
magic_of(const std::uint8_t* metapage) {
    std::uint32_t magic = 0;
    std::memcpy(&magic, metapage + kPageHeaderSize, sizeof(magic));
    return magic;
}

bool
is_theirs(std::uint32_t magic) {
    return magic == kTheirHnswMagic || magic == kTheirIvfflatMagic;
}

bool
is_foreign_magic(std::uint32_t magic) {
    return is_theirs(magic) || magic == kRetiredMagic;
}

bool
has_foreign_file(Relation index) {
    return RelationGetNumberOfBlocks(index) > 0 &&
           pg::with_page(index, kMetaBlock, nullptr,
                         [](const std::uint8_t* page) { return is_foreign_magic(magic_of(page)); });
}

}  // namespace

bool
is_foreign(Relation index) {
    return pg::noted(index, has_foreign_file);
}

void
retire(Relation index) {
    pg::BlockSet blocks;
    blocks.add(kMetaBlock);
    pg::with_change(
        index, pg::WalMode::kLogged, blocks, nullptr,
        [](const pg::ChangedPages& pages) { return is_theirs(magic_of(pages(kMetaBlock))); },
        [](const pg::ChangedPages& pages) {
            std::memcpy(pages(kMetaBlock) + kPageHeaderSize, &kRetiredMagic, sizeof(kRetiredMagic));
        });
}

void
refuse_foreign(Relation index, const std::uint8_t* metapage) {
    if (is_foreign_magic(magic_of(metapage)))
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("index \"%s\" was made by pgvector", RelationGetRelationName(index)),
                errhint("%s", kHint));
}

void
warn_of_foreign(Relation index) {
    static constinit bool has_warned = false;
    if (has_warned)
        return;
    has_warned = true;
    ereport(
        WARNING, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
        errmsg("index \"%s\" was made by pgvector and is not used", RelationGetRelationName(index)),
        errdetail("Searches read the table instead, of other such indexes too."),
        errhint("%s", kHint));
}

}  // namespace vext::hnsw
