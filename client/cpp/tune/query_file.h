// Vectors of a file, for queries.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vext::client {

bool is_file(const std::string& path);

/// The first `n` vectors of a file of any format that `load` reads, in the text form of vectors.
std::vector<std::string> read_vector_texts(const std::string& path, int n_dims, std::int64_t n);

}  // namespace vext::client
