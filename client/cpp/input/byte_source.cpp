#include "input/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "error.h"

namespace vext::client {

namespace {

class FileSource final : public ByteSource {
   public:
    explicit FileSource(const std::string& path) : name_(path == "-" ? "standard input" : path) {
        if (path == "-") {
            file_ = STDIN_FILENO;
            return;
        }
        file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file_ < 0)
            throw InputError(fmt::format("{}: {}", path, std::strerror(errno)));
        struct stat status {};
        if (fstat(file_, &status) != 0)
            fail();
        if (S_ISDIR(status.st_mode)) {
            close(file_);
            throw InputError(fmt::format("{}: expected a file, found a directory", path));
        }
        if (S_ISREG(status.st_mode)) {
            size_ = static_cast<std::uint64_t>(status.st_size);
            posix_fadvise(file_, 0, 0, POSIX_FADV_SEQUENTIAL);
        }
    }

    ~FileSource() override {
        if (file_ > STDIN_FILENO)
            close(file_);
    }

    std::size_t
    read(std::span<std::uint8_t> out) override {
        std::size_t n_read = 0;
        while (n_read < out.size()) {
            const ssize_t n = ::read(file_, out.data() + n_read, out.size() - n_read);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                fail();
            if (n == 0)
                break;
            n_read += static_cast<std::size_t>(n);
        }
        position_ += n_read;
        return n_read;
    }

    std::optional<std::uint64_t>
    size() const override {
        return size_;
    }
    std::uint64_t
    n_stored() const override {
        return size_.value_or(0);
    }
    std::uint64_t
    n_stored_read() const override {
        return position_;
    }

   private:
    [[noreturn]] void
    fail() const {
        throw InputError(fmt::format("{}: {}", name_, std::strerror(errno)));
    }

    std::string name_;
    int file_ = -1;
    std::optional<std::uint64_t> size_;
    std::uint64_t position_ = 0;
};

class MemorySource final : public ByteSource {
   public:
    explicit MemorySource(std::span<const std::uint8_t> bytes)
        : bytes_(bytes.begin(), bytes.end()) {}

    std::size_t
    read(std::span<std::uint8_t> out) override {
        const std::size_t n = std::min(out.size(), bytes_.size() - position_);
        std::copy_n(bytes_.data() + position_, n, out.data());
        position_ += n;
        return n;
    }
    std::optional<std::uint64_t>
    size() const override {
        return bytes_.size();
    }
    std::uint64_t
    n_stored() const override {
        return bytes_.size();
    }
    std::uint64_t
    n_stored_read() const override {
        return position_;
    }

   private:
    std::vector<std::uint8_t> bytes_;
    std::size_t position_ = 0;
};

bool
starts_with(std::span<const std::uint8_t> bytes, std::string_view magic) {
    return bytes.size() >= magic.size() &&
           std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace

std::unique_ptr<ByteSource>
memory_source(std::span<const std::uint8_t> bytes) {
    return std::make_unique<MemorySource>(bytes);
}

std::unique_ptr<ByteSource>
open_source(const std::string& path) {
    auto file = std::make_unique<PeekSource>(std::make_unique<FileSource>(path));
    const std::string name = path == "-" ? "standard input" : path;
    const std::span<const std::uint8_t> magic = file->peek(4);
    if (starts_with(magic, "\x1f\x8b"))
        return gzip_source(std::move(file), name);
    if (starts_with(magic, "\x28\xb5\x2f\xfd"))
        return zstd_source(std::move(file), name);
    return file;
}

std::span<const std::uint8_t>
PeekSource::peek(std::size_t n_bytes) {
    ahead_.erase(0, n_given_);
    n_given_ = 0;
    if (const std::size_t had = ahead_.size(); had < n_bytes) {
        ahead_.resize(n_bytes);
        auto* end = reinterpret_cast<std::uint8_t*>(ahead_.data()) + had;
        ahead_.resize(had + source_->read({end, n_bytes - had}));
    }
    return {reinterpret_cast<const std::uint8_t*>(ahead_.data()), std::min(n_bytes, ahead_.size())};
}

void
PeekSource::put_back(std::span<const std::uint8_t> bytes) {
    ahead_.erase(0, n_given_);
    n_given_ = 0;
    ahead_.insert(0, reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::size_t
PeekSource::read(std::span<std::uint8_t> out) {
    const std::size_t n_ahead = std::min(out.size(), ahead_.size() - n_given_);
    std::copy_n(ahead_.data() + n_given_, n_ahead, out.data());
    n_given_ += n_ahead;
    return n_ahead + (n_ahead < out.size() ? source_->read(out.subspan(n_ahead)) : 0);
}

}  // namespace vext::client
