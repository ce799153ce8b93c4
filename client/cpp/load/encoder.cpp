#include "load/encoder.h"

#include <algorithm>

namespace vext::client {

namespace {

constexpr std::size_t kMaxRawBytes = 1 << 20;

/// Formats without lines have the vector to show.
std::string
raw_of(const Row& row) {
    if (!row.raw.empty())
        return std::string(row.raw.substr(0, kMaxRawBytes));
    for (const Field& field : row.fields)
        if (field.kind == Field::Kind::kVector)
            return vector_to_text(field.vector);
    return {};
}

}  // namespace

bool
is_covered(const std::vector<RowRange>& ranges, std::uint64_t row) {
    auto after = std::upper_bound(
        ranges.begin(), ranges.end(), row,
        [](std::uint64_t number, const RowRange& range) { return number < range.first; });
    return after != ranges.begin() && row - std::prev(after)->first < std::prev(after)->n;
}

std::optional<std::int64_t>
counted_id(std::int64_t start, std::uint64_t n_before) {
    std::int64_t id = 0;
    if (__builtin_add_overflow(start, n_before, &id))
        return std::nullopt;
    return id;
}

std::span<const std::uint8_t>
copy_header() {
    static constexpr std::uint8_t kHeader[] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n',
                                               0,   0,   0,   0,   0,   0,   0,    0,    0};
    return kHeader;
}

std::span<const std::uint8_t>
copy_trailer() {
    static constexpr std::uint8_t kTrailer[] = {0xff, 0xff};
    return kTrailer;
}

Encoder::Encoder(const Plan& plan, const std::vector<std::unique_ptr<Input>>& inputs)
    : plan_(plan) {
    for (const std::unique_ptr<Input>& input : inputs)
        decoders_.push_back(input->make_decoder());
}

void
Encoder::encode(const Piece& piece, std::size_t input, std::uint64_t base,
                const std::vector<RowRange>& done, Encoded& out) {
    out.bytes.clear();
    out.input = input;
    out.covered = {piece.first_row, piece.n_rows};
    out.sent.clear();
    out.n_sent = 0;
    out.n_skipped = 0;
    out.rejects.clear();
    decoders_[input]->decode(piece, [&](const Row& row) {
        if (!done.empty() && is_covered(done, row.number))
            ++out.n_skipped;
        else
            append_row(row, base, out);
    });
}

void
Encoder::append_row(const Row& row, std::uint64_t base, Encoded& out) {
    const std::size_t start = out.bytes.size();
    std::optional<Problem> problem = row.problem;
    if (!problem)
        problem = append_fields(row, base, out);
    if (problem) {
        out.bytes.resize(start);
        out.rejects.push_back({out.input, row.number, row.line, std::move(*problem), raw_of(row)});
        return;
    }
    ++out.n_sent;
    if (!out.sent.empty() && out.sent.back().first + out.sent.back().n == row.number)
        ++out.sent.back().n;
    else
        out.sent.push_back({row.number, 1});
}

std::optional<Problem>
Encoder::append_fields(const Row& row, std::uint64_t base, Encoded& out) {
    if (!plan_.is_text)
        append_16(out.bytes, static_cast<std::uint16_t>(plan_.columns.size()));
    for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
        const FieldSource& source = plan_.sources[out.input][i];
        Field counter;
        if (source.is_counter) {
            counter.kind = Field::Kind::kInteger;
            const std::optional<std::int64_t> id =
                counted_id(plan_.id_start, base + row.number - 1);
            if (!id)
                return Problem{"22003", kNoIdLeft};
            counter.integer = *id;
        }
        const Field& field = source.is_counter ? counter : row.fields[source.field];
        std::optional<Problem> problem;
        if (plan_.is_text) {
            problem = values_.append_as_text(plan_.columns[i], field, out.bytes);
            out.bytes.push_back(i + 1 < plan_.columns.size() ? '\t' : '\n');
        } else {
            problem = values_.append(plan_.columns[i], field, out.bytes);
        }
        if (problem)
            return problem;
    }
    return std::nullopt;
}

}  // namespace vext::client
