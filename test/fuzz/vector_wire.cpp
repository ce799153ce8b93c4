// Any message: what decode_vector accepts is finite and encodes to the same message; what it
// refuses contradicts the format.

#include "core/text/vector_wire.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

using namespace vext;

constexpr std::size_t kMaxDims = 300;  // small and above 255: both bytes of the field matter

void
require(bool condition) {
    if (!condition)
        __builtin_trap();
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::uint8_t> message(data, data + size);
    std::vector<float> values(kMaxDims);
    const core::DecodedVector decoded = core::decode_vector(message, values);

    const std::size_t n_dims = decoded.n_dims;
    const bool has_sound_frame = size >= core::wire_size(0) && n_dims >= 1 && n_dims <= kMaxDims &&
                                 decoded.unused == 0 && size == core::wire_size(n_dims);
    if (decoded.error != core::WireError::kNone) {
        const bool is_value_error =
            decoded.error == core::WireError::kNan || decoded.error == core::WireError::kInfinite;
        require(!has_sound_frame || is_value_error);
        return 0;
    }

    require(has_sound_frame);
    values.resize(n_dims);
    require(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }));
    std::vector<std::uint8_t> encoded(core::wire_size(n_dims));
    core::encode_vector(values, encoded);
    require(encoded == message);
    return 0;
}
