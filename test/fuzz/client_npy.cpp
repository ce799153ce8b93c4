// Any bytes as the header of a .npy file: a shape whose size is in range, or an InputError.

#include <cstdint>

#include "error.h"
#include "input/input.h"
#include "input/npy.h"

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vext::client;
    const std::span<const std::uint8_t> bytes(data, size);
    try {
        const std::size_t offset =
            npy_data_offset(bytes.first(std::min<std::size_t>(size, 12)), "input");
        if (offset > size)
            return 0;
        const NpyShape shape = parse_npy_header(bytes.first(offset), "input");
        if (shape.n_columns < 1 || shape.n_columns > kMaxDims ||
            shape.n_rows > INT64_MAX / (shape.n_columns * size_of(shape.element)))
            __builtin_trap();
    } catch (const InputError&) {
    }
    return 0;
}
