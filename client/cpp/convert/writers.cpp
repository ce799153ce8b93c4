#include "convert/writers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/text/vector_text.h"
#include "core/text/vector_wire.h"
#include "error.h"
#include "input/npy.h"
#include "load/encoder.h"

namespace vext::client {

bool
OutputFile::is_replaced(const std::string& path) {
    struct stat status {};
    return path != "-" && (stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode));
}

OutputFile::OutputFile(const std::string& path) : path_(path) {
    if (path == "-") {
        path_ = "standard output";
        file_ = STDOUT_FILENO;
        return;
    }
    if (is_replaced(path))
        part_path_ = path + ".part";
    file_ = part_path_.empty()
                ? open(path.c_str(), O_WRONLY | O_CLOEXEC)
                : open(part_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0)
        throw UsageError(fmt::format("{}: {}", path, std::strerror(errno)));
}

OutputFile::~OutputFile() {
    if (file_ > STDERR_FILENO) {
        ::close(file_);
        remove_part();
    }
}

void
OutputFile::fail() const {
    throw Error(ExitCode::kStopped, fmt::format("{}: {}", path_, std::strerror(errno)));
}

void
OutputFile::write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(file_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail();
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
}

void
OutputFile::write_at_start(std::span<const std::uint8_t> bytes) {
    if (pwrite(file_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        fail();
}

void
OutputFile::close() {
    if (file_ <= STDERR_FILENO)
        return;
    const int file = std::exchange(file_, -1);
    if (::close(file) != 0 ||
        (is_seekable() && std::rename(part_path_.c_str(), path_.c_str()) != 0)) {
        const int error = errno;
        remove_part();
        errno = error;
        fail();
    }
}

void
OutputFile::remove_part() const {
    if (!part_path_.empty())
        unlink(part_path_.c_str());
}

namespace {

using Out = std::vector<std::uint8_t>;

void
append_raw(Out& out, const void* data, std::size_t n_bytes) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    out.insert(out.end(), bytes, bytes + n_bytes);
}

class F32Writer : public VectorWriter {
   public:
    void
    begin(Out&, std::size_t) override {}
    void
    append(Out& out, std::int64_t, std::span<const float> values) override {
        append_raw(out, values.data(), values.size_bytes());
    }
    void
    end(Out&) override {}
};

class NpyWriter final : public F32Writer {
   public:
    void
    begin(Out& out, std::size_t n_dims) override {
        append_text(out, make_npy_header(n_rows_, n_dims));
    }
    bool
    has_count() const override {
        return true;
    }
};

class FvecsWriter final : public F32Writer {
   public:
    void
    append(Out& out, std::int64_t id, std::span<const float> values) override {
        const auto n_dims = static_cast<std::int32_t>(values.size());
        append_raw(out, &n_dims, sizeof n_dims);
        F32Writer::append(out, id, values);
    }
};

class CsvWriter final : public VectorWriter {
   public:
    void
    begin(Out& out, std::size_t) override {
        append_text(out, "id,embedding\n");
    }
    void
    append(Out& out, std::int64_t id, std::span<const float> values) override {
        append_text(out, fmt::format("{},\"", id));
        const std::size_t start = out.size();
        out.resize(start + core::printed_size_limit(values.size()));
        const std::size_t n_bytes = core::print_vector(
            values, {reinterpret_cast<char*>(out.data()) + start, out.size() - start});
        out.resize(start + n_bytes);
        append_text(out, "\"\n");
    }
    void
    end(Out&) override {}
};

class CopyWriter final : public VectorWriter {
   public:
    void
    begin(Out& out, std::size_t) override {
        append_raw(out, copy_header().data(), copy_header().size());
    }
    void
    append(Out& out, std::int64_t id, std::span<const float> values) override {
        append_16(out, 2);
        append_32(out, 8);
        append_64(out, static_cast<std::uint64_t>(id));
        const std::size_t n_bytes = core::wire_size(values.size());
        append_32(out, static_cast<std::uint32_t>(n_bytes));
        out.resize(out.size() + n_bytes);
        core::encode_vector(values, std::span(out).last(n_bytes));
    }
    void
    end(Out& out) override {
        append_raw(out, copy_trailer().data(), copy_trailer().size());
    }
};

}  // namespace

std::unique_ptr<VectorWriter>
make_writer(const std::string& format) {
    if (format == "f32")
        return std::make_unique<F32Writer>();
    if (format == "npy")
        return std::make_unique<NpyWriter>();
    if (format == "fvecs")
        return std::make_unique<FvecsWriter>();
    if (format == "csv")
        return std::make_unique<CsvWriter>();
    if (format == "copy-binary")
        return std::make_unique<CopyWriter>();
    throw UsageError(fmt::format("no file can be written in the format \"{}\"", format),
                     "--to takes f32, npy, fvecs, csv, copy-binary");
}

}  // namespace vext::client
