// The companion of a raw file, that tells its shape: <stem>.json, or meta.json in the same folder.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vext::client {

struct Sidecar {
    std::string path;  ///< empty: there is none
    std::optional<std::uint64_t> n_rows;
    std::optional<std::size_t> n_dims;
    std::string metric;
};

Sidecar read_sidecar(const std::string& input_path);

/// <stem>.json
std::string sidecar_path(const std::string& path);

/// Is there such a file, and does it tell dimensions?
bool is_sidecar(const std::string& path);

/// {"n": 1000, "dim": 768, "metric": "l2"}: n and metric may be missing.
Sidecar parse_sidecar(std::string_view text, const std::string& path);

}  // namespace vext::client
