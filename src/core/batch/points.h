// The vectors of a batch as codes, laid out so that a plain array and several shared-memory
// segments look the same.
//
// Point i is a record of `stride` bytes in chunk i >> chunk_shift, at position i within it: a
// CodeHeader (12 bytes), then the code. A chunk is one contiguous area that starts at a multiple of
// 4, as does every record (the exact codec reads its code as float); every chunk but the last holds
// 1 << chunk_shift points. One chunk with a large shift is an array. The view owns nothing: chunks
// and their table outlive it; in the server every process has a table of its own addresses.

#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/batch/ids.h"
#include "core/codec/codec.h"

namespace vext::core {

struct PointView {
    const Codec* codec;
    std::size_t n;
    std::size_t stride;
    unsigned chunk_shift;
    std::uint8_t* const* chunks;

    std::uint8_t*
    record(Point point) const {
        const std::uint32_t i = number_of(point);
        const std::size_t position = i & ((std::size_t{1} << chunk_shift) - 1);
        return chunks[i >> chunk_shift] + position * stride;
    }
    const CodeHeader&
    header(Point point) const {
        return *reinterpret_cast<const CodeHeader*>(record(point));
    }
    const std::uint8_t*
    code(Point point) const {
        return record(point) + sizeof(CodeHeader);
    }
};

static_assert(sizeof(CodeHeader) == 12 && std::is_trivially_destructible_v<PointView>);

/// The bytes of a record.
inline std::size_t
point_stride(const Codec& codec) {
    return (sizeof(CodeHeader) + codec.code_bytes() + 3) / 4 * 4;
}

/// The largest chunk_shift with chunks of at most `max_bytes`. Requires: stride <= max_bytes.
constexpr unsigned
chunk_shift_for(std::size_t stride, std::size_t max_bytes) {
    unsigned shift = 0;
    while (shift < 31 && stride << (shift + 1) <= max_bytes)
        ++shift;
    return shift;
}

}  // namespace vext::core
