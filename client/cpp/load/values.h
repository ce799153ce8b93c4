// One value in the binary form of COPY: its length, then its bytes.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "input/input.h"
#include "input/vector_field.h"
#include "load/plan.h"

namespace vext::client {

using Bytes = std::vector<std::uint8_t>;

void append_16(Bytes& out, std::uint16_t value);
void append_32(Bytes& out, std::uint32_t value);
void append_64(Bytes& out, std::uint64_t value);
void append_text(Bytes& out, std::string_view text);

/// Converts fields to a column's type, and judges them. One a thread.
class ValueWriter {
   public:
    /// Appends the value, or says why it cannot be; then `out` may hold a part of it.
    std::optional<Problem> append(const PlannedColumn& column, const Field& field, Bytes& out);
    /// Appends the value as text COPY has it, without the separator.
    std::optional<Problem> append_as_text(const PlannedColumn& column, const Field& field,
                                          Bytes& out);

   private:
    std::optional<Problem> append_vector(const PlannedColumn& column, const Field& field,
                                         Bytes& out);
    std::optional<Problem> append_bits(const PlannedColumn& column, const Field& field, Bytes& out);

    VectorReader vectors_;
    Bytes scratch_;
};

}  // namespace vext::client
