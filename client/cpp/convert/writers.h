// Files of vectors, written row by row.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vext::client {

/// A file that takes its name when all was written; "-" is standard output. What exists and is no
/// file, such as a pipe or a device, is written as it is.
class OutputFile {
   public:
    /// Does a file with that name come at the end?
    static bool is_replaced(const std::string& path);
    explicit OutputFile(const std::string& path);
    /// Without close(), what was written is removed.
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    void write(std::span<const std::uint8_t> bytes);
    /// Only where is_seekable().
    void write_at_start(std::span<const std::uint8_t> bytes);
    bool
    is_seekable() const {
        return !part_path_.empty();
    }
    void close();

   private:
    [[noreturn]] void fail() const;
    void remove_part() const;

    std::string path_;
    std::string part_path_;  ///< empty where is_replaced() is false
    int file_ = -1;
};

/// Appends rows to a buffer, which the caller empties into the file.
class VectorWriter {
   public:
    virtual ~VectorWriter() = default;
    virtual void begin(std::vector<std::uint8_t>& out, std::size_t n_dims) = 0;
    virtual void append(std::vector<std::uint8_t>& out, std::int64_t id,
                        std::span<const float> values) = 0;
    virtual void end(std::vector<std::uint8_t>& out) = 0;
    /// Does begin() need to know how many rows come? Then its bytes are written again at the end.
    virtual bool
    has_count() const {
        return false;
    }
    void
    set_count(std::uint64_t n_rows) {
        n_rows_ = n_rows;
    }

   protected:
    std::uint64_t n_rows_ = 0;
};

/// f32, npy, fvecs, csv or copy-binary.
std::unique_ptr<VectorWriter> make_writer(const std::string& format);

}  // namespace vext::client
