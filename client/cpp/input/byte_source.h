// Where the bytes of an input come from: a file or standard input, plain, gzip or zstd.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vext::client {

class ByteSource {
   public:
    virtual ~ByteSource() = default;
    /// Fills `out` unless the end comes first; returns the bytes read. Errors name the file.
    virtual std::size_t read(std::span<std::uint8_t> out) = 0;
    /// Bytes that read() gives in all, where that is known beforehand.
    virtual std::optional<std::uint64_t> size() const = 0;
    /// Bytes of the file on disk: how many there are (0: unknown), and how many have been read.
    virtual std::uint64_t n_stored() const = 0;
    virtual std::uint64_t n_stored_read() const = 0;
};

/// The path "-" is standard input. Compression is recognized by the first bytes.

std::unique_ptr<ByteSource> open_source(const std::string& path);

/// Bytes in memory, for headers that were read ahead and for tests.
std::unique_ptr<ByteSource> memory_source(std::span<const std::uint8_t> bytes);

/// Decompresses another source; `name` is for errors.
std::unique_ptr<ByteSource> gzip_source(std::unique_ptr<ByteSource> compressed, std::string name);
std::unique_ptr<ByteSource> zstd_source(std::unique_ptr<ByteSource> compressed, std::string name);

/// A source with a look ahead: read() gives the bytes that peek() showed once more.
class PeekSource final : public ByteSource {
   public:
    explicit PeekSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

    /// Up to n_bytes, fewer only at the end. Valid until the next call of anything.
    std::span<const std::uint8_t> peek(std::size_t n_bytes);
    /// read() gives these bytes before all others.
    void put_back(std::span<const std::uint8_t> bytes);

    std::size_t read(std::span<std::uint8_t> out) override;
    std::optional<std::uint64_t>
    size() const override {
        return source_->size();
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
    std::unique_ptr<ByteSource> source_;
    std::string ahead_;
    std::size_t n_given_ = 0;  ///< of ahead_
};

}  // namespace vext::client
