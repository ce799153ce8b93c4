#include "input/copy_binary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "error.h"
#include "input/open.h"

namespace vext::client {

namespace {

constexpr std::string_view kSignature("PGCOPY\n\xff\r\n\0", 11);
constexpr std::size_t kMaxExtension = 1 << 20;
constexpr int kMaxFields = 1600;  // columns of a table
constexpr std::uint32_t kCriticalFlags = 0xffff0000;

int
read_count(const std::uint8_t* bytes) {
    return static_cast<std::int16_t>((bytes[0] << 8) | bytes[1]);
}

}  // namespace

std::uint32_t
read_big_endian_32(const std::uint8_t* bytes) {
    return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
           static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

std::size_t
copy_header_extension(std::span<const std::uint8_t> header, const std::string& name) {
    if (std::string_view(reinterpret_cast<const char*>(header.data()),
                         std::min(header.size(), kSignature.size())) != kSignature)
        throw InputError(fmt::format(
            "{}: expected a file of COPY (FORMAT binary), found other first bytes", name));
    if (header.size() < kCopyHeaderBytes)
        throw InputError(fmt::format("{}: expected a header of {} bytes, found the end after {}",
                                     name, kCopyHeaderBytes, header.size()));
    if ((read_big_endian_32(header.data() + 11) & kCriticalFlags) != 0)
        throw InputError(fmt::format("{}: expected no flags in the header, found {:#x}", name,
                                     read_big_endian_32(header.data() + 11)));
    const std::size_t n_bytes = read_big_endian_32(header.data() + 15);
    if (n_bytes > kMaxExtension)
        throw InputError(
            fmt::format("{}: expected a header extension of at most {} bytes, found {}", name,
                        kMaxExtension, n_bytes));
    return n_bytes;
}

CopyRow
scan_copy_row(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < 2)
        return {};
    const int n_fields = read_count(bytes.data());
    if (n_fields == -1)
        return {2, -1, false};
    if (n_fields < 1 || n_fields > kMaxFields)
        return {0, 0, true};
    std::size_t at = 2;
    for (int i = 0; i < n_fields; ++i) {
        if (bytes.size() - at < 4)
            return {};
        const auto length = static_cast<std::int32_t>(read_big_endian_32(bytes.data() + at));
        at += 4;
        if (length < -1)
            return {0, 0, true};
        const std::size_t n_bytes = length < 0 ? 0 : static_cast<std::size_t>(length);
        if (n_bytes > kMaxRowBytes)
            return {0, 0, true};
        if (bytes.size() - at < n_bytes)
            return {};
        at += n_bytes;
    }
    return {at, n_fields, false};
}

namespace {

class CopyDecoder final : public RowDecoder {
   public:
    void
    decode(const Piece& piece, const std::function<void(const Row&)>& sink) override {
        const std::uint8_t* at = piece.bytes.data();
        row_.number = piece.first_row;
        for (std::uint64_t i = 0; i < piece.n_rows; ++i) {
            row_.fields.resize(static_cast<std::size_t>(read_count(at)));
            at += 2;
            for (Field& field : row_.fields) {
                const auto length = static_cast<std::int32_t>(read_big_endian_32(at));
                at += 4;
                field.kind = length < 0 ? Field::Kind::kNull : Field::Kind::kBinary;
                const std::size_t n_bytes = length < 0 ? 0 : static_cast<std::size_t>(length);
                field.text = {reinterpret_cast<const char*>(at), n_bytes};
                at += n_bytes;
            }
            sink(row_);
            ++row_.number;
        }
    }

   private:
    Row row_;
};

class CopyInput final : public Input {
   public:
    CopyInput(std::unique_ptr<PeekSource> source, const std::string& name)
        : source_(std::move(source)) {
        name_ = name;
        const std::size_t n_extension =
            copy_header_extension(source_->peek(kCopyHeaderBytes), name);
        std::vector<std::uint8_t> header(kCopyHeaderBytes + n_extension);
        source_->read(header);
        CopyRow first = scan_copy_row(source_->peek(kPieceBytes));
        if (first.n_bytes == 0)
            first = scan_copy_row(source_->peek(kMaxRowBytes));
        for (int i = 0; i < first.n_fields; ++i)
            columns_.push_back({fmt::format("column{}", i + 1), Field::Kind::kBinary});
    }

    bool
    next(Piece& piece) override {
        piece.ids.clear();
        piece.first_row = n_rows_ + 1;
        piece.first_line = 0;
        piece.n_rows = 0;
        if (is_at_end_) {
            piece.bytes.clear();
            return false;
        }
        piece.bytes.swap(rest_);
        rest_.clear();
        std::size_t at = 0;
        while (at == 0 && !is_at_end_) {
            fill(piece.bytes);
            at = scan(piece, at);
        }
        rest_.assign(piece.bytes.begin() + static_cast<std::ptrdiff_t>(at), piece.bytes.end());
        piece.bytes.resize(at);
        n_rows_ += piece.n_rows;
        return piece.n_rows > 0;
    }

    std::unique_ptr<RowDecoder>
    make_decoder() const override {
        return std::make_unique<CopyDecoder>();
    }
    std::uint64_t
    n_stored() const override {
        return source_->n_stored();
    }
    std::uint64_t
    n_stored_read() const override {
        return source_->n_stored_read();
    }

   private:
    void
    fill(std::vector<std::uint8_t>& bytes) {
        const std::size_t had = bytes.size();
        bytes.resize(std::max(kPieceBytes, had + kPieceBytes / 4));
        const std::size_t n_read = source_->read(std::span(bytes).subspan(had));
        bytes.resize(had + n_read);
        if (n_read == 0)
            throw InputError(
                fmt::format("{}: expected the end mark of COPY data, found the end of the file "
                            "after row {} and {} "
                            "bytes",
                            name_, n_rows_, had));
    }

    /// Moves over whole rows; returns where the first one that is not whole begins.
    std::size_t
    scan(Piece& piece, std::size_t at) {
        for (;;) {
            const CopyRow row = scan_copy_row(std::span(piece.bytes).subspan(at));
            if (row.is_damaged)
                throw InputError(
                    fmt::format("{}: row {}: expected fields of COPY (FORMAT binary), found "
                                "something else",
                                name_, n_rows_ + piece.n_rows + 1));
            if (row.n_bytes == 0)
                return at;
            if (row.n_fields < 0) {
                is_at_end_ = true;
                if (piece.bytes.size() > at + 2 || !source_->peek(1).empty())
                    throw InputError(fmt::format("{}: expected the end after row {}, found more",
                                                 name_, n_rows_ + piece.n_rows));
                return at;
            }
            if (row.n_fields != static_cast<int>(columns_.size()))
                throw InputError(fmt::format("{}: row {}: expected {} fields, found {}", name_,
                                             n_rows_ + piece.n_rows + 1, columns_.size(),
                                             row.n_fields));
            at += row.n_bytes;
            ++piece.n_rows;
        }
    }

    std::unique_ptr<PeekSource> source_;
    std::vector<std::uint8_t> rest_;
    std::uint64_t n_rows_ = 0;
    bool is_at_end_ = false;
};

}  // namespace

std::unique_ptr<Input>
open_copy_binary(std::unique_ptr<PeekSource> source, const std::string& name) {
    return std::make_unique<CopyInput>(std::move(source), name);
}

}  // namespace vext::client
