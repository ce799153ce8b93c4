// A fact about an index that lasts as long as this process holds its entry of the relation cache.

#pragma once

#include "pg/server.h"

extern "C" {
#include "utils/memutils.h"
#include "utils/rel.h"
}

namespace vext::pg {

/// What `find(index)` says, asked for once: the server forgets it when the index gets another file.
inline bool
noted(Relation index, bool (*find)(Relation)) {
    if (index->rd_amcache == nullptr) {
        const bool fact = find(index);
        auto* note = static_cast<bool*>(MemoryContextAlloc(index->rd_indexcxt, sizeof(bool)));
        *note = fact;
        index->rd_amcache = note;
    }
    return *static_cast<const bool*>(index->rd_amcache);
}

}  // namespace vext::pg
