// Any message, of float32 and of halves: what decode_vector accepts is finite and encodes to the
// same message; what it refuses contradicts the format.

#include "core/text/vector_wire.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace {

using namespace vext;

constexpr std::size_t kMaxDims = 300;  // small and above 255: both bytes of the field matter

void
require(bool condition) {
    if (!condition)
        __builtin_trap();
}

template <typename Number>
void
check(const std::vector<std::uint8_t>& message) {
    const std::size_t size = message.size();
    std::vector<Number> values(kMaxDims);
    const core::DecodedVector decoded = core::decode_vector(message, std::span<Number>(values));

    const std::size_t n_dims = decoded.n_dims;
    const bool has_sound_frame = size >= core::wire_size<Number>(0) && n_dims >= 1 &&
                                 n_dims <= kMaxDims && decoded.unused == 0 &&
                                 size == core::wire_size<Number>(n_dims);
    if (decoded.error != core::WireError::kNone) {
        const bool is_value_error =
            decoded.error == core::WireError::kNan || decoded.error == core::WireError::kInfinite;
        require(!has_sound_frame || is_value_error);
        return;
    }

    require(has_sound_frame);
    values.resize(n_dims);
    require(std::ranges::all_of(values, [](Number value) { return core::is_finite(value); }));
    std::vector<std::uint8_t> encoded(core::wire_size<Number>(n_dims));
    core::encode_vector(std::span<const Number>(values), encoded);
    require(encoded == message);
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::uint8_t> message(data, data + size);
    check<float>(message);
    check<core::Half>(message);
    return 0;
}
