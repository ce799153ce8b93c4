// The formats of files, and how one is recognized.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vext::client {

enum class Format : std::uint8_t { kNpy, kF32, kFvecs, kIvecs, kBvecs, kCsv, kJsonl, kCopyBinary };

/// As the option --format takes them, "auto" first.
const std::vector<std::string>& format_names();
std::string name_of(Format format);

/// The path without .gz or .zst.
std::string without_compression(const std::string& path);

/// `name` is that of a format or "auto": then the path's ending decides, else the first bytes.
/// Throws UsageError when neither tells.
Format detect_format(const std::string& name, const std::string& path,
                     std::span<const std::uint8_t> first_bytes);

}  // namespace vext::client
