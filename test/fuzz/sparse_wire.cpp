// Any message: what decode_sparse accepts is sound and encodes to the same message; what it refuses
// contradicts the format.

#include "core/text/sparse_wire.h"

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

using namespace vext;

constexpr std::size_t kMaxEntries = 40;

void
require(bool condition) {
    if (!condition)
        __builtin_trap();
}

std::int64_t
word(const std::vector<std::uint8_t>& message, std::size_t i) {
    std::uint32_t bits = 0;
    for (std::size_t byte = 0; byte < 4; ++byte)
        bits = bits << 8 | message[4 * i + byte];
    return static_cast<std::int32_t>(bits);
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::uint8_t> message(data, data + size);
    std::vector<core::SparseEntry> entries(kMaxEntries);
    const core::DecodedSparse decoded = core::decode_sparse(message, entries);

    bool is_sound = size >= 12 && word(message, 0) >= 1 && word(message, 0) <= 1000000000 &&
                    word(message, 1) >= 0 && word(message, 1) <= word(message, 0) &&
                    word(message, 1) <= static_cast<std::int64_t>(kMaxEntries) &&
                    word(message, 2) == 0 &&
                    size == 12 + 8 * static_cast<std::size_t>(word(message, 1));
    if (is_sound) {
        const auto n = static_cast<std::size_t>(word(message, 1));
        std::int64_t before = -1;
        for (std::size_t i = 0; i < n; ++i) {
            const std::int64_t index = word(message, 3 + i);
            const auto bits = static_cast<std::uint32_t>(word(message, 3 + n + i));
            is_sound &= index > before && index < word(message, 0) &&
                        (bits & 0x7f800000) != 0x7f800000 && (bits & 0x7fffffff) != 0;
            before = index;
        }
    }
    require(is_sound == (decoded.error == core::SparseError::kNone));
    if (!is_sound)
        return 0;

    require(decoded.n_dims == word(message, 0));
    std::vector<std::int32_t> indices;
    std::vector<float> values;
    for (std::size_t i = 0; i < decoded.n_entries; ++i) {
        indices.push_back(entries[i].index);
        values.push_back(entries[i].value);
    }
    std::vector<std::uint8_t> encoded(core::sparse_wire_size(indices.size()));
    core::encode_sparse({decoded.n_dims, indices, values}, encoded);
    require(encoded == message);
    return 0;
}
