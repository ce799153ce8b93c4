// Reads and prints the text form of a sparse vector, in one pass and without copies.

#include "core/text/sparse_text.h"

#include <algorithm>

#include "core/text/number.h"

/// The server's shortest-float printer: at most 15 bytes, no terminating zero.
extern "C" int float_to_shortest_decimal_bufn(float value, char* result);

namespace vext::core {

namespace {

ParsedSparse
failure(SparseError error, std::string_view number = {}) {
    return {error, 0, 0, number};
}

SparseError
to_sparse_error(TextError error) {
    switch (error) {
        case TextError::kNone:
            return SparseError::kNone;
        case TextError::kNan:
            return SparseError::kNan;
        case TextError::kInfinite:
            return SparseError::kInfinite;
        case TextError::kOutOfRange:
            return SparseError::kOutOfRange;
        default:
            return SparseError::kSyntax;
    }
}

struct EntryRead {
    SparseError error;
    std::int64_t index;  ///< from 0
    float value;
    const char* end;          ///< behind the entry and blanks, when error is kNone
    std::string_view number;  ///< when error is kOutOfRange
};

/// Reads `index : value` and the blanks around.
EntryRead
read_entry(const char* p, const char* end) {
    const EntryRead syntax{SparseError::kSyntax, 0, 0, nullptr, {}};
    const IntegerRead index = read_integer(skip_blanks(p, end), end);
    if (index.end == nullptr)
        return syntax;
    p = skip_blanks(index.end, end);
    if (p == end || *p != ':')
        return syntax;
    p = skip_blanks(p + 1, end);
    if (p == end)
        return syntax;

    NumberRead read = read_number(p, end);
    if (read.error == TextError::kNone && read.value == 0 && is_underflow(p, read.end))
        read.error = TextError::kOutOfRange;
    if (read.error == TextError::kOutOfRange)
        return {
            SparseError::kOutOfRange, 0, 0, nullptr, {p, static_cast<std::size_t>(read.end - p)}};
    if (read.error != TextError::kNone)
        return {to_sparse_error(read.error), 0, 0, nullptr, {}};
    return {SparseError::kNone, index.value - 1, read.value, skip_blanks(read.end, end), {}};
}

/// Reads the entries up to the closing brace. `p` is behind the opening one, `n_entries` is 0;
/// `behind` is set behind the closing one.
ParsedSparse
read_entries(const char* p, const char* end, std::span<SparseEntry> out, const char*& behind) {
    std::size_t n_entries = 0;
    p = skip_blanks(p, end);
    if (p != end && *p == '}') {
        behind = p + 1;
        return {SparseError::kNone, 0, 0, {}};
    }
    for (;;) {
        const EntryRead entry = read_entry(p, end);
        if (entry.error != SparseError::kNone)
            return failure(entry.error, entry.number);
        if (entry.value != 0) {
            if (n_entries == out.size())
                return failure(SparseError::kTooManyElements);
            // 2^31 - 1 of a larger index and -2^31 of a smaller one are out of bounds as well.
            out[n_entries++] = {
                static_cast<std::int32_t>(std::max<std::int64_t>(entry.index, INT32_MIN)),
                entry.value};
        }
        p = entry.end;
        if (p == end || (*p != ',' && *p != '}'))
            return failure(SparseError::kSyntax);
        if (*p++ == '}')
            break;
    }
    behind = p;
    return {SparseError::kNone, 0, n_entries, {}};
}

SparseError
judge_dims(std::int64_t n_dims) {
    if (n_dims < 1)
        return SparseError::kNoDimensions;
    return n_dims > kMaxSparseDims ? SparseError::kTooManyDimensions : SparseError::kNone;
}

bool
comes_before(const SparseEntry& a, const SparseEntry& b) {
    return a.index < b.index;
}

SparseError
judge_indices(std::span<const SparseEntry> entries, std::int32_t n_dims) {
    std::int32_t before = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const SparseError error = judge_index(entries[i].index, i, before, n_dims);
        if (error != SparseError::kNone)
            return error;
        before = entries[i].index;
    }
    return SparseError::kNone;
}

char*
print_integer(std::int32_t value, char* out) {
    char digits[10];
    std::size_t n = 0;
    for (; n == 0 || value > 0; value /= 10)
        digits[n++] = static_cast<char>('0' + value % 10);
    return std::reverse_copy(digits, digits + n, out);
}

}  // namespace

ParsedSparse
parse_sparse(std::string_view text, std::span<SparseEntry> out) {
    const char* const end = text.data() + text.size();
    const char* p = skip_blanks(text.data(), end);
    if (p == end || *p != '{')
        return failure(SparseError::kNoOpeningBrace);
    ParsedSparse parsed = read_entries(p + 1, end, out, p);
    if (parsed.error != SparseError::kNone)
        return parsed;

    p = skip_blanks(p, end);
    if (p == end || *p != '/')
        return failure(SparseError::kUnexpectedEnd);
    const IntegerRead n_dims = read_integer(skip_blanks(p + 1, end), end);
    if (n_dims.end == nullptr)
        return failure(SparseError::kSyntax);
    if (skip_blanks(n_dims.end, end) != end)
        return failure(SparseError::kJunkAfterClosing);
    parsed.error = judge_dims(n_dims.value);
    if (parsed.error != SparseError::kNone)
        return failure(parsed.error);
    parsed.n_dims = static_cast<std::int32_t>(n_dims.value);

    const std::span<SparseEntry> entries = out.first(parsed.n_entries);
    if (!std::is_sorted(entries.begin(), entries.end(), comes_before))
        std::sort(entries.begin(), entries.end(), comes_before);
    parsed.error = judge_indices(entries, parsed.n_dims);
    return parsed;
}

std::size_t
print_sparse(const SparseView& vector, std::span<char> out) {
    char* p = out.data();
    *p++ = '{';
    for (std::size_t i = 0; i < vector.size(); ++i) {
        if (i > 0)
            *p++ = ',';
        p = print_integer(vector.indices[i] + 1, p);
        *p++ = ':';
        p += float_to_shortest_decimal_bufn(vector.values[i], p);
    }
    *p++ = '}';
    *p++ = '/';
    return print_integer(vector.n_dims, p) - out.data();
}

}  // namespace vext::core
