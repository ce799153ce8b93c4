#include "input/lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "error.h"

namespace vext::client {

namespace {

std::string_view
as_text(const std::vector<std::uint8_t>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

RecordCutter::RecordCutter(std::unique_ptr<PeekSource> source, std::string name,
                           std::unique_ptr<RecordScanner> scanner)
    : source_(std::move(source)), name_(std::move(name)), scanner_(std::move(scanner)) {
    const std::span<const std::uint8_t> start = source_->peek(4);
    const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
        throw InputError(fmt::format("{}: expected UTF-8, found UTF-16", name_),
                         "--encoding UTF-16");
    if (text.find('\0') != std::string_view::npos)
        throw InputError(
            fmt::format("{}: expected text, found a zero byte at the beginning", name_));
    if (text.starts_with("\xef\xbb\xbf")) {
        std::uint8_t mark[3];
        source_->read(mark);
    }
}

/// Reads behind the first `n` bytes.
void
RecordCutter::fill(std::vector<std::uint8_t>& bytes, std::size_t& n, std::size_t at_least) {
    bytes.resize(std::max(kPieceBytes, n + at_least));
    const std::size_t n_read = source_->read(std::span(bytes).subspan(n));
    is_at_end_ = n_read < bytes.size() - n;
    n += n_read;
    if (n > kMaxRowBytes + kPieceBytes)
        throw InputError(
            fmt::format("{}: line {}: expected a record of at most {} MB, found a longer one",
                        name_, n_lines_ + 1, kMaxRowBytes >> 20),
            "a quote that is not closed makes the rest of the file one record");
}

bool
RecordCutter::next(Piece& piece) {
    // What the piece held is overwritten, not cleared, since a vector that grows is zeroed first.
    std::size_t n = rest_.size();
    piece.bytes.resize(std::max(piece.bytes.size(), n));
    std::copy(rest_.begin(), rest_.end(), piece.bytes.begin());
    piece.ids.clear();
    piece.first_row = n_rows_ + 1;
    piece.first_line = n_lines_ + 1;
    std::size_t start = 0;
    std::size_t scanned = n;
    const auto text = [&] { return as_text(piece.bytes).substr(0, n); };
    const auto count = [&](std::size_t end) {
        if (!is_blank(text().substr(start, end - start)))
            ++n_rows_;
        start = end;
    };
    for (;;) {
        if (!is_at_end_)
            fill(piece.bytes, n, kPieceBytes / 4);
        std::size_t end = 0;
        while ((end = scanner_->find_end(text(), scanned)) != std::string_view::npos) {
            count(end);
            scanned = end;
        }
        scanned = n;
        if (is_at_end_ && start < n)
            count(n);
        if (is_at_end_ || start > 0)
            break;
    }
    const auto begin = piece.bytes.begin();
    rest_.assign(begin + static_cast<std::ptrdiff_t>(start),
                 begin + static_cast<std::ptrdiff_t>(n));
    piece.bytes.resize(start);
    piece.n_rows = n_rows_ + 1 - piece.first_row;
    n_lines_ += count_newlines(as_text(piece.bytes));
    return !piece.bytes.empty();
}

bool
RecordCutter::take_first(std::string& record) {
    std::size_t end = std::string_view::npos;
    while (end == std::string_view::npos && !is_at_end_) {
        const std::size_t scanned = rest_.size();
        std::size_t n = scanned;
        fill(rest_, n, kPieceBytes / 4);
        rest_.resize(n);
        end = scanner_->find_end(as_text(rest_), scanned);
    }
    if (end == std::string_view::npos)
        end = rest_.size();
    record.assign(as_text(rest_).substr(0, end));
    n_lines_ = count_newlines(record);
    while (!record.empty() && (record.back() == '\n' || record.back() == '\r'))
        record.pop_back();
    // What follows was read but not scanned, so it goes back in front of the source.
    std::vector<std::uint8_t> ahead(rest_.begin() + static_cast<std::ptrdiff_t>(end), rest_.end());
    rest_.clear();
    source_->put_back(ahead);
    is_at_end_ = false;
    return end > 0;
}

/// Lines with vectors are long: memchr goes over them much faster than a count of bytes.
std::uint64_t
count_newlines(std::string_view text) {
    std::uint64_t n = 0;
    for (std::size_t at = text.find('\n'); at != std::string_view::npos;
         at = text.find('\n', at + 1))
        ++n;
    return n;
}

bool
is_utf8(std::string_view text) {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    const unsigned char* const end = p + text.size();
    const auto continues = [&](int n) {
        if (end - p <= n)
            return false;
        for (int i = 1; i <= n; ++i)
            if ((p[i] & 0xc0) != 0x80)
                return false;
        return true;
    };
    while (p < end) {
        if (*p < 0x80) {
            if (*p == 0)
                return false;
            ++p;
        } else if (*p >= 0xc2 && *p <= 0xdf && continues(1)) {
            p += 2;
        } else if (*p >= 0xe0 && *p <= 0xef && continues(2) && !(*p == 0xe0 && p[1] < 0xa0) &&
                   !(*p == 0xed && p[1] >= 0xa0)) {
            p += 3;
        } else if (*p >= 0xf0 && *p <= 0xf4 && continues(3) && !(*p == 0xf0 && p[1] < 0x90) &&
                   !(*p == 0xf4 && p[1] >= 0x90)) {
            p += 4;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace vext::client
