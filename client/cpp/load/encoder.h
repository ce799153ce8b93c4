// Pieces of an input to COPY data, and the rows that cannot be loaded to rejects.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load/values.h"

namespace vext::client {

struct Reject {
    std::size_t input = 0;
    std::uint64_t row = 0;
    std::uint64_t line = 0;
    Problem problem;
    std::string raw;
};

/// Rows of one input that follow each other, counted from 1.
struct RowRange {
    std::uint64_t first = 0;
    std::uint64_t n = 0;
};

/// COPY data of one piece, without header and trailer.
struct Encoded {
    Bytes bytes;
    std::size_t input = 0;
    RowRange covered;            ///< of the input; also what was rejected or skipped
    std::vector<RowRange> sent;  ///< the rows in `bytes`, in order
    std::uint64_t n_sent = 0;
    std::uint64_t n_skipped = 0;  ///< loaded by an earlier run
    std::vector<Reject> rejects;
    std::uint64_t n_stored_read = 0;  ///< bytes on disk of all inputs read up to this piece
};

/// The id of a row without one, with `n_before` rows before it; nothing beyond the largest one.
std::optional<std::int64_t> counted_id(std::int64_t start, std::uint64_t n_before);
inline constexpr const char* kNoIdLeft = "no id is left for it: ids end at 9223372036854775807";

/// One a thread.
class Encoder {
   public:
    Encoder(const Plan& plan, const std::vector<std::unique_ptr<Input>>& inputs);

    /// `base` is the number of rows of the inputs before, `done` what earlier runs loaded, sorted.
    void encode(const Piece& piece, std::size_t input, std::uint64_t base,
                const std::vector<RowRange>& done, Encoded& out);

   private:
    void append_row(const Row& row, std::uint64_t base, Encoded& out);
    std::optional<Problem> append_fields(const Row& row, std::uint64_t base, Encoded& out);

    const Plan& plan_;
    std::vector<std::unique_ptr<RowDecoder>> decoders_;
    ValueWriter values_;
};

/// Is the row in one of the sorted ranges?
bool is_covered(const std::vector<RowRange>& ranges, std::uint64_t row);

/// What stands before and after all rows of a binary COPY.
std::span<const std::uint8_t> copy_header();
std::span<const std::uint8_t> copy_trailer();

}  // namespace vext::client
