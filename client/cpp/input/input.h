// An input as rows: opened by open_input (input/open.h), cut into pieces by one thread, decoded row
// by row by any number of threads.
//
//   ByteSource -> Input::next (a piece of whole rows) -> RowDecoder::decode (fields) -> the caller
//
// A file that is not what it should be ends in an InputError. A row that cannot be read, in a file
// whose other rows can, is decoded with a problem instead, and may become a reject.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vext::client {

/// The largest vector that a server takes.
inline constexpr std::size_t kMaxDims = 16000;
/// What pieces aim at, and the longest row of a text format.
inline constexpr std::size_t kPieceBytes = 1 << 20;
inline constexpr std::size_t kMaxRowBytes = 8 << 20;

/// Whole rows as the file has them.
struct Piece {
    std::vector<std::uint8_t> bytes;
    std::vector<std::int64_t> ids;  ///< one a row, from a file of ids; else empty
    std::uint64_t first_row = 0;    ///< counted from 1 in the file; headers do not count
    std::uint64_t first_line = 0;   ///< counted from 1; 0 where a file has no lines
    std::uint64_t n_rows = 0;
};

struct Field {
    enum class Kind : std::uint8_t {
        kNull,
        kText,     ///< `text`, whatever type it may stand for
        kString,   ///< `text`: a JSON string, unescaped
        kJson,     ///< `text`: a JSON value that is neither a string nor null
        kVector,   ///< `vector`
        kBits,     ///< `text`: packed bits, the highest first
        kInteger,  ///< `integer`
        kBinary,   ///< `text`: the value as binary COPY has it
    };
    Kind kind = Kind::kNull;
    std::string_view text = {};
    std::span<const float> vector = {};
    std::int64_t integer = 0;
};

/// Why a row cannot be loaded, in the words and by the SQLSTATE of the server.
struct Problem {
    std::string sqlstate;
    std::string message;
};

/// Lives until the sink returns.
struct Row {
    std::uint64_t number = 0;  ///< as Piece::first_row
    std::uint64_t line = 0;    ///< as Piece::first_line
    std::vector<Field> fields;
    std::string_view raw;  ///< the row as the file has it, for text formats
    std::optional<Problem> problem;
};

class RowDecoder {
   public:
    virtual ~RowDecoder() = default;
    virtual void decode(const Piece& piece, const std::function<void(const Row&)>& sink) = 0;
};

struct SourceColumn {
    std::string name;
    Field::Kind kind = Field::Kind::kText;
    /// Of the value in the first row, when it is, or reads as, a vector; else 0.
    std::size_t n_dims = 0;
    /// Why it is none, with its place: "row 1 (line 2): NaN not allowed in vector".
    std::string problem = {};
    bool is_object = false;  ///< in the first rows: a JSON object, or an array that is no vector
};

class Input {
   public:
    virtual ~Input() = default;

    const std::string&
    name() const {
        return name_;
    }
    /// What a row has. Formats without names have one column "embedding".
    const std::vector<SourceColumn>&
    columns() const {
        return columns_;
    }
    /// Why the first row tells less of columns than it should, with its place; empty: it does not.
    const std::string&
    first_problem() const {
        return first_problem_;
    }
    /// More names that rows may have; for formats whose rows name their fields.
    virtual void
    accept_columns(const std::vector<std::string>&) {}
    /// Do names come from the file?
    virtual bool
    has_names() const {
        return false;
    }

    /// Of every vector, where the format says so.
    std::optional<std::size_t>
    n_dims() const {
        return n_dims_;
    }
    /// Where it is known beforehand.
    std::optional<std::uint64_t>
    n_rows() const {
        return n_rows_;
    }
    /// l2, ip, cosine, l1, where the file's companion says so.
    const std::string&
    metric() const {
        return metric_;
    }

    /// The next rows; false at the end. Reuses the piece's memory.
    virtual bool next(Piece& piece) = 0;
    virtual std::unique_ptr<RowDecoder> make_decoder() const = 0;

    /// Bytes on disk, and how many of them have been read; see ByteSource.
    virtual std::uint64_t n_stored() const = 0;
    virtual std::uint64_t n_stored_read() const = 0;

   protected:
    std::string name_;
    std::vector<SourceColumn> columns_;
    std::string first_problem_;
    std::optional<std::size_t> n_dims_;
    std::optional<std::uint64_t> n_rows_;
    std::string metric_;
};

/// "items.csv: row 17 (line 18)"
std::string place_of(const Input& input, const Row& row);

}  // namespace vext::client
