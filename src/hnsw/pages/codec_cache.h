// The codecs of the indexes that this session used last.
//
// A scan of a few dozen steps would spend a noticeable part of its time on reading the centroid and
// making the rotation. Whoever makes an index's file anew draws another seed for the rotation; the
// centroid is written once in the life of a file, before the metapage says that there is one. So a
// codec is kept under the locator of the file and what the metapage, which each scan reads, says of
// codec, seed and centroid.
//
// Kept until the session ends or another index takes the place; a place in use is not taken.

#pragma once

#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// The codec of the index with this metapage, usable until the current context is reset or deleted.
/// Where it is not kept, reads the centroid.
const core::Codec* find_codec(Relation relation, const MetaPage& meta, pg::BufferHints* hints);

}  // namespace vext::hnsw
