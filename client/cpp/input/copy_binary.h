// What COPY ... (FORMAT binary) writes: its header, and where rows end.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace vext::client {

inline constexpr std::size_t kCopyHeaderBytes = 19;  ///< without its extension

/// The bytes of the header's extension, to be skipped. `header` has kCopyHeaderBytes, or fewer when
/// the file is shorter; `name` is the file's, for errors (InputError).
std::size_t copy_header_extension(std::span<const std::uint8_t> header, const std::string& name);

/// The row at the beginning of `bytes`.
struct CopyRow {
    std::size_t n_bytes = 0;  ///< 0: more bytes are needed
    int n_fields = 0;         ///< -1: the end of the data
    bool is_damaged = false;
};
CopyRow scan_copy_row(std::span<const std::uint8_t> bytes);

std::uint32_t read_big_endian_32(const std::uint8_t* bytes);

}  // namespace vext::client
