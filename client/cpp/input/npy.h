// The header of NumPy's .npy files, versions 1 to 3.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "input/element.h"

namespace vext::client {

struct NpyShape {
    Element element;
    std::uint64_t n_rows;
    std::size_t n_columns;
};

/// Longer headers are refused: that of an array of numbers has some 100 bytes.
inline constexpr std::size_t kMaxNpyHeader = 64 * 1024;

/// The bytes before the data, judged by the first 12 bytes of the file (fewer when it is shorter).
/// `name` is the file's, for errors (InputError).
std::size_t npy_data_offset(std::span<const std::uint8_t> start, const std::string& name);

/// `header` is all before the data. Accepts two dimensions, C order, of the element types there
/// are; everything else is an InputError that says what was expected and what was found.
NpyShape parse_npy_header(std::span<const std::uint8_t> header, const std::string& name);

/// The header of a file of float32 in C order, of a fixed size for any number of rows.
std::string make_npy_header(std::uint64_t n_rows, std::size_t n_columns);

}  // namespace vext::client
