#include "input/sidecar.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "error.h"
#include "input/format.h"

namespace vext::client {

namespace {

constexpr std::size_t kMaxBytes = 64 * 1024;

std::uint64_t
count_of(const nlohmann::json& value, const std::string& key, const std::string& path) {
    if (!value.is_number_unsigned())
        throw InputError(fmt::format(
            "{}: expected a whole number for \"{}\", found {}", path, key,
            value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).substr(0, 40)));
    return value.get<std::uint64_t>();
}

/// Nothing where there is no such file.
std::optional<Sidecar>
read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return std::nullopt;
    std::string text(kMaxBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMaxBytes)
        throw InputError(fmt::format("{}: expected at most {} bytes, found more", path, kMaxBytes));
    return parse_sidecar(text, path);
}

}  // namespace

Sidecar
parse_sidecar(std::string_view text, const std::string& path) {
    const nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
    if (!object.is_object())
        throw InputError(fmt::format("{}: expected a JSON object", path));
    Sidecar sidecar;
    sidecar.path = path;
    for (const auto& [key, value] : object.items()) {
        if (key == "n" || key == "n_rows" || key == "count")
            sidecar.n_rows = count_of(value, key, path);
        else if (key == "dim" || key == "dims" || key == "dimension" || key == "n_dims")
            sidecar.n_dims = count_of(value, key, path);
        else if (key == "metric" && value.is_string())
            sidecar.metric = value.get<std::string>();
    }
    return sidecar;
}

Sidecar
read_sidecar(const std::string& input_path) {
    if (input_path == "standard input")
        return {};
    const std::filesystem::path path = without_compression(input_path);
    for (const std::filesystem::path& candidate :
         {std::filesystem::path(sidecar_path(path.string())), path.parent_path() / "meta.json"}) {
        if (std::optional<Sidecar> sidecar = read_file(candidate.string()))
            return *std::move(sidecar);
    }
    return {};
}

std::string
sidecar_path(const std::string& path) {
    return std::filesystem::path(path).replace_extension(".json").string();
}

bool
is_sidecar(const std::string& path) {
    try {
        const std::optional<Sidecar> sidecar = read_file(path);
        return sidecar && sidecar->n_dims;
    } catch (const InputError&) {
        return false;
    }
}

}  // namespace vext::client
