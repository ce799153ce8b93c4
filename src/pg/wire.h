// Byte strings: messages of the binary protocol, bytea and text values.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "pg/compat.h"

extern "C" {
#include "lib/stringinfo.h"
}

namespace vext::pg {

/// The bytes of a message that are not read yet; they count as read afterwards.
inline std::span<const std::uint8_t>
take_rest(StringInfo message) {
    const auto* start = reinterpret_cast<const std::uint8_t*>(message->data) + message->cursor;
    const std::size_t n_bytes = message->len - message->cursor;
    message->cursor = message->len;
    return {start, n_bytes};
}

/// A bytea in the current memory context whose bytes are not set.
inline bytea*
new_bytea(std::size_t n_bytes) {
    auto* result = static_cast<bytea*>(palloc(VARHDRSZ + n_bytes));
    SET_VARSIZE(result, VARHDRSZ + n_bytes);
    return result;
}

/// The bytes of a detoasted value, with a short or a full header.
inline std::span<std::uint8_t>
bytes_of(bytea* value) {
    return {reinterpret_cast<std::uint8_t*>(VARDATA_ANY(value)), VARSIZE_ANY_EXHDR(value)};
}

inline std::string_view
text_of(text* value) {
    return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

}  // namespace vext::pg
