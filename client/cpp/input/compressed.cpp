// gzip by zlib, zstd by libzstd: any number of members or frames, one after the other.

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <vector>

#include "error.h"
#include "input/byte_source.h"

namespace vext::client {

namespace {

constexpr std::size_t kBuffer = 256 * 1024;

/// What both have in common: a buffer of compressed bytes.
class Compressed : public ByteSource {
   public:
    Compressed(std::unique_ptr<ByteSource> compressed, std::string name)
        : compressed_(std::move(compressed)), name_(std::move(name)), buffer_(kBuffer) {}

    std::optional<std::uint64_t>
    size() const override {
        return std::nullopt;
    }
    std::uint64_t
    n_stored() const override {
        return compressed_->n_stored();
    }
    std::uint64_t
    n_stored_read() const override {
        return compressed_->n_stored_read();
    }

   protected:
    /// Reads on when all was used; false at the end.
    bool
    refill() {
        if (!rest_.empty())
            return true;
        rest_ = std::span(buffer_).first(compressed_->read(buffer_));
        return !rest_.empty();
    }

    [[noreturn]] void
    fail(const char* kind, const std::string& why) const {
        throw InputError(fmt::format("{}: expected {} data, found at byte {}: {}", name_, kind,
                                     compressed_->n_stored_read() - rest_.size(), why));
    }

    std::unique_ptr<ByteSource> compressed_;
    std::string name_;
    std::vector<std::uint8_t> buffer_;
    std::span<std::uint8_t> rest_;
};

class GzipSource final : public Compressed {
   public:
    GzipSource(std::unique_ptr<ByteSource> compressed, std::string name)
        : Compressed(std::move(compressed), std::move(name)) {
        // 15 bits of window, and 16 for gzip's own header.
        if (inflateInit2(&stream_, 15 + 16) != Z_OK)
            throw std::bad_alloc();
    }
    ~GzipSource() override { inflateEnd(&stream_); }

    std::size_t
    read(std::span<std::uint8_t> out) override {
        stream_.next_out = out.data();
        stream_.avail_out = static_cast<uInt>(out.size());
        while (stream_.avail_out > 0 && refill()) {
            is_inside_ = true;
            stream_.next_in = rest_.data();
            stream_.avail_in = static_cast<uInt>(rest_.size());
            const int status = inflate(&stream_, Z_NO_FLUSH);
            rest_ = rest_.last(stream_.avail_in);
            if (status == Z_STREAM_END) {
                is_inside_ = false;
                inflateReset(&stream_);
            } else if (status != Z_OK && status != Z_BUF_ERROR) {
                fail("gzip", stream_.msg == nullptr ? "damaged data" : stream_.msg);
            }
        }
        if (stream_.avail_out > 0 && is_inside_)
            fail("gzip", "the end of the file, inside a stream");
        return out.size() - stream_.avail_out;
    }

   private:
    z_stream stream_{};
    bool is_inside_ = false;
};

/// A file may ask for a window of 2 GB; this is what fits beside everything else.
constexpr int kMaxWindowLog = 25;

class ZstdSource final : public Compressed {
   public:
    ZstdSource(std::unique_ptr<ByteSource> compressed, std::string name)
        : Compressed(std::move(compressed), std::move(name)), stream_(ZSTD_createDStream()) {
        if (stream_ == nullptr)
            throw std::bad_alloc();
        ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kMaxWindowLog);
    }
    ~ZstdSource() override { ZSTD_freeDStream(stream_); }

    std::size_t
    read(std::span<std::uint8_t> out) override {
        ZSTD_outBuffer output = {out.data(), out.size(), 0};
        // What the decoder holds back comes without more input.
        while (output.pos < output.size && (refill() || is_inside_)) {
            ZSTD_inBuffer input = {rest_.data(), rest_.size(), 0};
            const std::size_t before = output.pos;
            const std::size_t status = ZSTD_decompressStream(stream_, &output, &input);
            if (ZSTD_isError(status) != 0)
                fail("zstd", explain(status));
            if (input.size == 0 && output.pos == before)
                fail("zstd", "the end of the file, inside a frame");
            rest_ = rest_.subspan(input.pos);
            is_inside_ = status != 0;
        }
        return output.pos;
    }

   private:
    static std::string
    explain(std::size_t status) {
        const std::string name = ZSTD_getErrorName(status);
        if (name.find("too much memory") == std::string::npos)
            return name;
        return fmt::format(
            "a window of more than {} MB; give the output of zstd -dc --long=31 as standard input",
            (1 << kMaxWindowLog) >> 20);
    }

    ZSTD_DStream* stream_;
    bool is_inside_ = false;
};

}  // namespace

std::unique_ptr<ByteSource>
gzip_source(std::unique_ptr<ByteSource> compressed, std::string name) {
    return std::make_unique<GzipSource>(std::move(compressed), std::move(name));
}

std::unique_ptr<ByteSource>
zstd_source(std::unique_ptr<ByteSource> compressed, std::string name) {
    return std::make_unique<ZstdSource>(std::move(compressed), std::move(name));
}

}  // namespace vext::client
