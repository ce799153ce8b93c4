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

bool
RecordCutter::fill(std::vector<std::uint8_t>& bytes, std::size_t at_least) {
    const std::size_t had = bytes.size();
    bytes.resize(std::max(kPieceBytes, had + at_least));
    const std::size_t n_read = source_->read(std::span(bytes).subspan(had));
    is_at_end_ = n_read < bytes.size() - had;
    bytes.resize(had + n_read);
    if (bytes.size() > kMaxRowBytes + kPieceBytes)
        throw InputError(
            fmt::format("{}: line {}: expected a record of at most {} MB, found a longer one",
                        name_, n_lines_ + 1, kMaxRowBytes >> 20),
            "a quote that is not closed makes the rest of the file one record");
    return n_read > 0;
}

bool
RecordCutter::next(Piece& piece) {
    piece.bytes.swap(rest_);
    rest_.clear();
    piece.ids.clear();
    piece.first_row = n_rows_ + 1;
    piece.first_line = n_lines_ + 1;
    std::size_t start = 0;
    std::size_t scanned = piece.bytes.size();
    const auto count = [&](std::size_t end) {
        if (!is_blank(as_text(piece.bytes).substr(start, end - start)))
            ++n_rows_;
        start = end;
    };
    for (;;) {
        if (!is_at_end_)
            fill(piece.bytes, kPieceBytes / 4);
        std::size_t end = 0;
        while ((end = scanner_->find_end(as_text(piece.bytes), scanned)) !=
               std::string_view::npos) {
            count(end);
            scanned = end;
        }
        scanned = piece.bytes.size();
        if (is_at_end_ && start < piece.bytes.size())
            count(piece.bytes.size());
        if (is_at_end_ || start > 0)
            break;
    }
    rest_.assign(piece.bytes.begin() + static_cast<std::ptrdiff_t>(start), piece.bytes.end());
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
        fill(rest_, kPieceBytes / 4);
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
