// The queries of tune: sampled rows, a table, or a file of vectors.

#pragma once

#include <string>

#include "inspect/index.h"
#include "tune/searches.h"

namespace vext::client {

/// Rows of the index's own table, chosen at random by `seed`.
QuerySet sample_queries(Connection& connection, const Index& index, std::int64_t n,
                        std::int64_t seed);

/// The first `n` vectors of the file, or of the table of this name: of its first column of the
/// index's type. A file comes before a table of the same name.
QuerySet read_queries(Connection& connection, const Index& index, const std::string& file_or_table,
                      std::int64_t n);

}  // namespace vext::client
