// Any text: parse_sparse equals the model of strtol and strtof, and what it accepts is sound and
// survives printing and parsing bit by bit.

#include "core/text/sparse_text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "../support/sparse_model.h"

namespace {

using namespace vext;

constexpr std::size_t kMaxEntries = 32;  // small: inputs reach the limit

void
require(bool condition) {
    if (!condition)
        __builtin_trap();
}

bool
have_same_bits(const std::vector<core::SparseEntry>& a, const std::vector<core::SparseEntry>& b) {
    return std::ranges::equal(a, b, [](const core::SparseEntry& x, const core::SparseEntry& y) {
        return x.index == y.index && std::memcmp(&x.value, &y.value, sizeof x.value) == 0;
    });
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> text(data, data + size);
    std::vector<core::SparseEntry> entries(kMaxEntries);
    const core::ParsedSparse parsed = core::parse_sparse({text.data(), text.size()}, entries);

    const test::ModelSparse model =
        test::SparseModel(std::string(text.begin(), text.end()), kMaxEntries).parse();
    require(parsed.error == model.error);
    require(parsed.number == model.number);
    if (parsed.error != core::SparseError::kNone)
        return 0;

    entries.resize(parsed.n_entries);
    require(parsed.n_dims == model.n_dims && have_same_bits(entries, model.entries));
    std::vector<std::int32_t> indices;
    std::vector<float> values;
    for (const core::SparseEntry& entry : entries) {
        require(std::isfinite(entry.value) && entry.value != 0);
        require(entry.index >= 0 && entry.index < parsed.n_dims);
        require(indices.empty() || indices.back() < entry.index);
        indices.push_back(entry.index);
        values.push_back(entry.value);
    }

    std::vector<char> printed(core::printed_sparse_limit(entries.size()));
    printed.resize(core::print_sparse({parsed.n_dims, indices, values}, printed));
    printed.shrink_to_fit();
    std::vector<core::SparseEntry> again(entries.size());
    const core::ParsedSparse reparsed = core::parse_sparse({printed.data(), printed.size()}, again);
    require(reparsed.error == core::SparseError::kNone && reparsed.n_dims == parsed.n_dims);
    require(reparsed.n_entries == entries.size() && have_same_bits(entries, again));
    return 0;
}
