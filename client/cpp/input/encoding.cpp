// Text in other encodings becomes UTF-8 on its way in, by iconv.

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "error.h"
#include "input/open.h"

namespace vext::client {

namespace {

/// Names of PostgreSQL that iconv does not know.
std::string
iconv_name(const std::string& encoding) {
    if (encoding.starts_with("WIN") &&
        encoding.find_first_not_of("0123456789", 3) == std::string::npos)
        return "CP" + encoding.substr(3);
    if (encoding.starts_with("ISO_8859_"))
        return "ISO-8859-" + encoding.substr(9);
    for (const auto& [ours, theirs] : {std::pair<const char*, const char*>{"SJIS", "CP932"},
                                       {"UHC", "CP949"},
                                       {"KOI8R", "KOI8-R"},
                                       {"KOI8U", "KOI8-U"},
                                       {"EUC_JP", "EUC-JP"},
                                       {"EUC_KR", "EUC-KR"},
                                       {"EUC_CN", "EUC-CN"},
                                       {"LATIN9", "ISO-8859-15"}})
        if (encoding == ours)
            return theirs;
    return encoding;
}

class Utf8Source final : public ByteSource {
   public:
    Utf8Source(std::unique_ptr<ByteSource> source, const std::string& encoding, std::string name)
        : source_(std::move(source)),
          encoding_(encoding),
          name_(std::move(name)),
          converter_(iconv_open("UTF-8", iconv_name(encoding).c_str())) {
        if (converter_ == reinterpret_cast<iconv_t>(-1))
            throw UsageError(fmt::format("unknown encoding \"{}\"", encoding),
                             "iconv --list tells what there is");
    }
    ~Utf8Source() override { iconv_close(converter_); }

    std::size_t
    read(std::span<std::uint8_t> out) override {
        auto* to = reinterpret_cast<char*>(out.data());
        std::size_t n_room = out.size();
        while (n_room > 0) {
            if (!held_.empty()) {
                const std::size_t n = std::min(n_room, held_.size());
                std::copy_n(held_.data(), n, to);
                held_.erase(0, n);
                to += n;
                n_room -= n;
                continue;
            }
            if (n_used_ == n_filled_ && !refill())
                break;
            convert(to, n_room);
        }
        return out.size() - n_room;
    }

    std::optional<std::uint64_t>
    size() const override {
        return std::nullopt;
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
    bool
    refill() {
        n_filled_ = source_->read(
            std::span(reinterpret_cast<std::uint8_t*>(buffer_.data()), buffer_.size()));
        n_used_ = 0;
        return n_filled_ > 0;
    }

    void
    convert(char*& to, std::size_t& n_room) {
        char* from = buffer_.data() + n_used_;
        std::size_t n_left = n_filled_ - n_used_;
        // A character may need more room than is left; then it comes by way of held_.
        std::array<char, 16> small{};
        const bool is_small = n_room < small.size();
        char* target = is_small ? small.data() : to;
        std::size_t n_target = is_small ? small.size() : n_room;
        const std::size_t n_before = n_target;
        const std::size_t status = iconv(converter_, &from, &n_left, &target, &n_target);
        const int error = status == static_cast<std::size_t>(-1) ? errno : 0;
        n_consumed_ += n_filled_ - n_used_ - n_left;
        n_used_ = n_filled_ - n_left;
        if (is_small) {
            held_.assign(small.data(), n_before - n_target);
        } else {
            to = target;
            n_room = n_target;
        }
        if (error == EILSEQ)
            fail();
        if (error == EINVAL) {
            // The rest begins a character that goes on in the next bytes.
            std::copy_n(buffer_.data() + n_used_, n_left, buffer_.data());
            const std::size_t n_read = source_->read(std::span(
                reinterpret_cast<std::uint8_t*>(buffer_.data()) + n_left, buffer_.size() - n_left));
            if (n_read == 0)
                fail();
            n_used_ = 0;
            n_filled_ = n_left + n_read;
        }
    }

    [[noreturn]] void
    fail() const {
        throw InputError(fmt::format("{}: expected text in {}, found other bytes at byte {}", name_,
                                     encoding_, n_consumed_ + 1));
    }

    std::unique_ptr<ByteSource> source_;
    std::string encoding_;
    std::string name_;
    iconv_t converter_;
    std::vector<char> buffer_ = std::vector<char>(64 * 1024);
    std::size_t n_used_ = 0;
    std::size_t n_filled_ = 0;
    std::uint64_t n_consumed_ = 0;
    std::string held_;
};

}  // namespace

std::unique_ptr<ByteSource>
utf8_source(std::unique_ptr<ByteSource> source, const std::string& encoding,
            const std::string& name) {
    return std::make_unique<Utf8Source>(std::move(source), encoding, name);
}

}  // namespace vext::client
