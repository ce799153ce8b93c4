#include "input/format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "error.h"

namespace vext::client {

namespace {

struct Ending {
    std::string_view ending;
    Format format;
};

constexpr std::array kEndings = {
    Ending{".npy", Format::kNpy},           Ending{".f32", Format::kF32},
    Ending{".raw", Format::kF32},           Ending{".bin", Format::kF32},
    Ending{".fvecs", Format::kFvecs},       Ending{".ivecs", Format::kIvecs},
    Ending{".bvecs", Format::kBvecs},       Ending{".csv", Format::kCsv},
    Ending{".tsv", Format::kCsv},           Ending{".jsonl", Format::kJsonl},
    Ending{".ndjson", Format::kJsonl},      Ending{".copy", Format::kCopyBinary},
    Ending{".pgcopy", Format::kCopyBinary},
};

constexpr std::array<std::string_view, 8> kNames = {"npy",   "f32", "fvecs", "ivecs",
                                                    "bvecs", "csv", "jsonl", "copy-binary"};

std::string
lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    return text;
}

std::optional<Format>
format_of_bytes(std::span<const std::uint8_t> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.starts_with("\x93NUMPY"))
        return Format::kNpy;
    if (text.starts_with("PGCOPY\n\xff\r\n"))
        return Format::kCopyBinary;
    const std::size_t start = text.find_first_not_of(" \t\r\n");
    if (start != std::string_view::npos && text[start] == '{' &&
        text.substr(start).find('"') != std::string_view::npos)
        return Format::kJsonl;
    return std::nullopt;
}

}  // namespace

const std::vector<std::string>&
format_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all = {"auto"};
        all.insert(all.end(), kNames.begin(), kNames.end());
        return all;
    }();
    return names;
}

std::string
name_of(Format format) {
    return std::string(kNames[static_cast<std::size_t>(format)]);
}

std::string
without_compression(const std::string& path) {
    const std::string lowered = lower(path);
    for (const std::string_view ending : {".gz", ".zst"})
        if (lowered.ends_with(ending))
            return path.substr(0, path.size() - ending.size());
    return path;
}

Format
detect_format(const std::string& name, const std::string& path,
              std::span<const std::uint8_t> first_bytes) {
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (kNames[i] == name)
            return static_cast<Format>(i);
    const std::string plain = lower(without_compression(path));
    for (const Ending& ending : kEndings)
        if (plain.ends_with(ending.ending))
            return ending.format;
    if (const std::optional<Format> format = format_of_bytes(first_bytes))
        return *format;
    throw UsageError(fmt::format("{}: neither the name nor the first bytes tell the format", path),
                     fmt::format("--format takes {}", fmt::join(kNames, ", ")));
}

}  // namespace vext::client
