// Formats whose rows all have the same size: .npy, raw float32, fvecs, ivecs, bvecs.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "error.h"
#include "input/npy.h"
#include "input/open.h"
#include "input/sidecar.h"

namespace vext::client {

namespace {

struct Layout {
    Element element = Element::kF32;
    std::size_t n_dims = 0;
    bool is_bits = false;     ///< bytes are packed bits; n_dims counts bits
    bool has_prefix = false;  ///< each row begins with its dimensions, an int32

    std::size_t
    n_prefix() const {
        return has_prefix ? 4 : 0;
    }
    std::size_t
    stride() const {
        return n_prefix() + (is_bits ? n_dims / 8 : n_dims * size_of(element));
    }
};

std::int32_t
read_prefix(const std::uint8_t* bytes) {
    std::int32_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

class FixedDecoder final : public RowDecoder {
   public:
    explicit FixedDecoder(const Layout& layout) : layout_(layout), values_(layout.n_dims) {
        row_.fields.resize(2);
    }

    void
    decode(const Piece& piece, const std::function<void(const Row&)>& sink) override {
        const std::size_t stride = layout_.stride();
        row_.fields.resize(piece.ids.empty() ? 1 : 2);
        for (std::uint64_t i = 0; i < piece.n_rows; ++i) {
            const std::span<const std::uint8_t> bytes =
                std::span(piece.bytes).subspan(i * stride, stride).subspan(layout_.n_prefix());
            row_.number = piece.first_row + i;
            Field& field = row_.fields[0];
            if (layout_.is_bits) {
                field.kind = Field::Kind::kBits;
                field.text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
            } else {
                read_elements(layout_.element, bytes, values_);
                field.kind = Field::Kind::kVector;
                field.vector = values_;
            }
            if (!piece.ids.empty()) {
                row_.fields[1].kind = Field::Kind::kInteger;
                row_.fields[1].integer = piece.ids[i];
            }
            sink(row_);
        }
    }

   private:
    Layout layout_;
    std::vector<float> values_;
    Row row_;
};

class FixedInput final : public Input {
   public:
    /// `source` stands at the first row.
    FixedInput(std::unique_ptr<PeekSource> source, std::string name, const Layout& layout,
               std::optional<std::uint64_t> n_rows)
        : source_(std::move(source)), layout_(layout) {
        name_ = std::move(name);
        columns_ = {{"embedding", layout.is_bits ? Field::Kind::kBits : Field::Kind::kVector,
                     layout.n_dims}};
        n_dims_ = layout.n_dims;
        n_rows_ = n_rows;
    }

    void
    set_metric(std::string metric) {
        metric_ = std::move(metric);
    }

    bool
    next(Piece& piece) override {
        const std::size_t stride = layout_.stride();
        std::uint64_t n_wanted = std::max<std::size_t>(1, kPieceBytes / stride);
        if (n_rows_)
            n_wanted = std::min(n_wanted, *n_rows_ - n_done_);
        piece.bytes.resize(n_wanted * stride);
        piece.ids.clear();
        piece.first_row = n_done_ + 1;
        piece.first_line = 0;
        const std::size_t n_read = source_->read(piece.bytes);
        piece.n_rows = n_read / stride;
        n_done_ += piece.n_rows;
        check_end(n_read % stride, piece.n_rows < n_wanted);
        piece.bytes.resize(piece.n_rows * stride);
        if (layout_.has_prefix)
            check_prefixes(piece);
        return piece.n_rows > 0;
    }

    std::unique_ptr<RowDecoder>
    make_decoder() const override {
        return std::make_unique<FixedDecoder>(layout_);
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
    /// For sources whose size only their end tells.
    void
    check_end(std::size_t n_left, bool is_short) {
        if (n_rows_ && is_short)
            throw InputError(
                fmt::format("{}: expected {} rows of {} bytes, found the end after {} rows"
                            " and {} bytes",
                            name_, *n_rows_, layout_.stride(), n_done_, n_left));
        if (n_left != 0)
            throw InputError(
                fmt::format("{}: expected rows of {} bytes, found {} bytes after row {}", name_,
                            layout_.stride(), n_left, n_done_));
        if (n_rows_ && n_done_ == *n_rows_ && !source_->peek(1).empty())
            throw InputError(
                fmt::format("{}: expected the end after {} rows of {} bytes, found more", name_,
                            *n_rows_, layout_.stride()));
    }

    void
    check_prefixes(const Piece& piece) const {
        for (std::uint64_t i = 0; i < piece.n_rows; ++i) {
            const std::int32_t n_dims = read_prefix(piece.bytes.data() + i * layout_.stride());
            if (n_dims != static_cast<std::int32_t>(layout_.n_dims))
                throw InputError(fmt::format("{}: row {}: expected {} dimensions, found {}", name_,
                                             piece.first_row + i, layout_.n_dims, n_dims));
        }
    }

    std::unique_ptr<PeekSource> source_;
    Layout layout_;
    std::uint64_t n_done_ = 0;
};

/// Of a file whose size is known: the number of rows after `n_header` bytes.
std::optional<std::uint64_t>
count_rows(const PeekSource& source, std::size_t n_header, std::size_t stride,
           const std::string& name) {
    const std::optional<std::uint64_t> size = source.size();
    if (!size)
        return std::nullopt;
    const std::uint64_t n_data = *size - n_header;
    if (n_data % stride != 0)
        throw InputError(fmt::format(
            "{}: expected a multiple of {} bytes (a row), found {} bytes: {} rows and {} bytes",
            name, stride, n_data, n_data / stride, n_data % stride));
    return n_data / stride;
}

void
check_dimension(std::size_t n_dims, const InputOptions& options, const std::string& name) {
    if (options.dimension && static_cast<std::size_t>(*options.dimension) != n_dims)
        throw InputError(fmt::format("{}: expected {} dimensions (--dimension), found {}", name,
                                     *options.dimension, n_dims));
}

std::vector<std::uint8_t>
read_header(PeekSource& source, std::size_t n_bytes) {
    std::vector<std::uint8_t> header(n_bytes);
    header.resize(source.read(header));
    return header;
}

}  // namespace

std::unique_ptr<Input>
open_npy(std::unique_ptr<PeekSource> source, const std::string& name, const InputOptions& options) {
    const std::size_t offset = npy_data_offset(source->peek(12), name);
    const NpyShape shape = parse_npy_header(read_header(*source, offset), name);
    Layout layout = {shape.element, shape.n_columns, false, false};
    if (options.is_bits) {
        if (shape.element != Element::kU8)
            throw InputError(
                fmt::format("{}: expected packed bits of type |u1 for --type bit", name));
        layout.is_bits = true;
        layout.n_dims = shape.n_columns * 8;
    }
    if (const std::optional<std::uint64_t> size = source->size()) {
        const std::uint64_t expected = offset + shape.n_rows * layout.stride();
        if (*size != expected)
            throw InputError(
                fmt::format("{}: expected {} bytes for {} x {} numbers of {} bytes and a header of "
                            "{}, found {}",
                            name, expected, shape.n_rows, shape.n_columns, size_of(shape.element),
                            offset, *size));
    }
    check_dimension(layout.n_dims, options, name);
    return std::make_unique<FixedInput>(std::move(source), name, layout, shape.n_rows);
}

std::unique_ptr<Input>
open_f32(std::unique_ptr<PeekSource> source, const std::string& name, const InputOptions& options) {
    const Sidecar sidecar = read_sidecar(name);
    std::optional<std::size_t> n_dims = sidecar.n_dims;
    if (options.dimension) {
        n_dims = static_cast<std::size_t>(*options.dimension);
        if (sidecar.n_dims && *sidecar.n_dims != *n_dims)
            throw InputError(fmt::format("{}: expected {} dimensions (--dimension), found {} in {}",
                                         name, *n_dims, *sidecar.n_dims, sidecar.path));
    }
    if (!n_dims)
        throw UsageError(
            fmt::format("{}: raw float32 has no header; --dimension tells its dimensions", name),
            "or a file of the same name with the ending .json: {\"n\": 1000, \"dim\": 768}");
    if (*n_dims < 1 || *n_dims > kMaxDims)
        throw UsageError(
            fmt::format("{}: expected 1 to {} dimensions, found {}", name, kMaxDims, *n_dims));
    const Layout layout = {Element::kF32, *n_dims, false, false};
    std::optional<std::uint64_t> n_rows = count_rows(*source, 0, layout.stride(), name);
    if (sidecar.n_rows) {
        if (n_rows && *n_rows != *sidecar.n_rows)
            throw InputError(
                fmt::format("{}: expected {} rows as {} says, found {} of {} dimensions", name,
                            *sidecar.n_rows, sidecar.path, *n_rows, *n_dims));
        n_rows = sidecar.n_rows;
    }
    auto input = std::make_unique<FixedInput>(std::move(source), name, layout, n_rows);
    input->set_metric(sidecar.metric);
    return input;
}

std::unique_ptr<Input>
open_vecs(std::unique_ptr<PeekSource> source, const std::string& name, Element element,
          const InputOptions& options) {
    const std::span<const std::uint8_t> start = source->peek(4);
    Layout layout = {element, 1, false, true};
    if (start.size() == 4) {
        const std::int32_t n_dims = read_prefix(start.data());
        if (n_dims < 1 || static_cast<std::size_t>(n_dims) > kMaxDims)
            throw InputError(fmt::format("{}: row 1: expected 1 to {} dimensions, found {}", name,
                                         kMaxDims, n_dims));
        layout.n_dims = static_cast<std::size_t>(n_dims);
        check_dimension(layout.n_dims, options, name);
    }
    const std::optional<std::uint64_t> n_rows = count_rows(*source, 0, layout.stride(), name);
    return std::make_unique<FixedInput>(std::move(source), name, layout, n_rows);
}

}  // namespace vext::client
