#include "input/npy.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "error.h"
#include "input/input.h"

namespace vext::client {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxShape = 32;  // NumPy's own limit

/// The Python literal that a header is: a dictionary of strings, booleans and tuples of numbers.
class HeaderReader {
   public:
    HeaderReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

    void
    read() {
        expect('{');
        while (!take('}')) {
            const std::string key(string());
            expect(':');
            if (key == "descr")
                once(descr_, key) = std::string(take_descr());
            else if (key == "fortran_order")
                once(is_fortran_, key) = boolean();
            else if (key == "shape")
                once(shape_, key) = tuple();
            else
                fail(fmt::format("a header with the key \"{}\"", shown(key)));
            if (!take(',')) {
                expect('}');
                break;
            }
        }
        skip_blanks();
        if (at_ != text_.size())
            fail("a header with more after its dictionary");
        if (!descr_ || !is_fortran_ || !shape_)
            fail("a header without descr, fortran_order or shape");
    }

    const std::string&
    descr() const {
        return *descr_;
    }
    bool
    is_fortran() const {
        return *is_fortran_;
    }
    const std::vector<std::uint64_t>&
    shape() const {
        return *shape_;
    }

   private:
    [[noreturn]] void
    fail(const std::string& found) const {
        throw InputError(
            fmt::format("{}: expected the header of a .npy file, found {}", name_, found));
    }

    static std::string
    shown(std::string_view text) {
        std::string out;
        for (const char c : text.substr(0, 40))
            out += c >= ' ' && c <= '~' ? c : '?';
        return out;
    }

    template <typename T>
    std::optional<T>&
    once(std::optional<T>& slot, const std::string& key) const {
        if (slot)
            fail(fmt::format("a header with {} twice", key));
        return slot;
    }

    void
    skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n'))
            ++at_;
    }
    bool
    take(char c) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }
    void
    expect(char c) {
        if (!take(c))
            fail(fmt::format("\"{}\" where \"{}\" belongs", shown(text_.substr(at_)), c));
    }
    std::string_view
    string() {
        skip_blanks();
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        if (quote != '\'' && quote != '"')
            fail(fmt::format("\"{}\" where a string belongs", shown(text_.substr(at_))));
        const std::size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos)
            fail("a header with a string that does not end");
        const std::string_view found = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return found;
    }
    /// Structured arrays have a list here.
    std::string_view
    take_descr() {
        skip_blanks();
        if (at_ < text_.size() && text_[at_] == '[')
            throw InputError(fmt::format("{}: expected an array of numbers, found records", name_));
        return string();
    }
    bool
    boolean() {
        skip_blanks();
        for (const std::string_view word : {"True", "False"})
            if (text_.substr(at_).starts_with(word)) {
                at_ += word.size();
                return word == "True";
            }
        fail(fmt::format("\"{}\" where True or False belongs", shown(text_.substr(at_))));
    }
    std::uint64_t
    number() {
        skip_blanks();
        std::uint64_t value = 0;
        const std::size_t start = at_;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, static_cast<std::uint64_t>(text_[at_] - '0'), &value))
                fail("a shape beyond 64 bits");
        if (at_ == start)
            fail(fmt::format("\"{}\" where a number belongs", shown(text_.substr(at_))));
        // Python 2 wrote long numbers.
        if (at_ < text_.size() && text_[at_] == 'L')
            ++at_;
        return value;
    }
    std::vector<std::uint64_t>
    tuple() {
        std::vector<std::uint64_t> numbers;
        expect('(');
        while (!take(')')) {
            if (numbers.size() == kMaxShape)
                fail("a shape of too many dimensions");
            numbers.push_back(number());
            if (!take(',')) {
                expect(')');
                break;
            }
        }
        return numbers;
    }

    std::string_view text_;
    const std::string& name_;
    std::size_t at_ = 0;
    std::optional<std::string> descr_;
    std::optional<bool> is_fortran_;
    std::optional<std::vector<std::uint64_t>> shape_;
};

Element
element_of(const std::string& descr, const std::string& name) {
    if (descr == "<f4")
        return Element::kF32;
    if (descr == "<f2")
        return Element::kF16;
    if (descr == "|u1")
        return Element::kU8;
    std::string what;
    if (descr.starts_with('>'))
        what = " (big-endian)";
    else if (descr == "<f8")
        what = " (double precision)";
    throw InputError(fmt::format("{}: expected numbers of type <f4, <f2 or |u1, found {}{}", name,
                                 descr.substr(0, 40), what),
                     "in Python: numpy.save(file, array.astype('<f4'))");
}

}  // namespace

std::size_t
npy_data_offset(std::span<const std::uint8_t> start, const std::string& name) {
    const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
    if (!text.starts_with(kMagic))
        throw InputError(fmt::format("{}: expected a .npy file, found other first bytes", name));
    if (start.size() < 8 || start[6] < 1 || start[6] > 3 || start[7] != 0)
        throw InputError(
            start.size() < 8
                ? fmt::format(
                      "{}: expected the header of a .npy file, found the end after {} bytes", name,
                      start.size())
                : fmt::format("{}: expected version 1.0, 2.0 or 3.0 of .npy, found {}.{}", name,
                              start[6], start[7]));
    const std::size_t n_length = start[6] == 1 ? 2 : 4;
    if (start.size() < 8 + n_length)
        throw InputError(
            fmt::format("{}: expected the header of a .npy file, found the end after {} bytes",
                        name, start.size()));
    std::size_t length = 0;
    for (std::size_t i = 0; i < n_length; ++i)
        length |= static_cast<std::size_t>(start[8 + i]) << (8 * i);
    if (length > kMaxNpyHeader)
        throw InputError(fmt::format("{}: expected a header of at most {} bytes, found one of {}",
                                     name, kMaxNpyHeader, length));
    return 8 + n_length + length;
}

NpyShape
parse_npy_header(std::span<const std::uint8_t> header, const std::string& name) {
    const std::size_t n_bytes =
        npy_data_offset(header.first(std::min<std::size_t>(header.size(), 12)), name);
    if (header.size() != n_bytes)
        throw InputError(fmt::format("{}: expected a header of {} bytes, found the end after {}",
                                     name, n_bytes, header.size()));
    const std::size_t start = header[6] == 1 ? 10 : 12;
    HeaderReader reader({reinterpret_cast<const char*>(header.data()) + start, n_bytes - start},
                        name);
    reader.read();
    const Element element = element_of(reader.descr(), name);
    const std::vector<std::uint64_t>& shape = reader.shape();
    if (shape.size() != 2)
        throw InputError(
            fmt::format("{}: expected an array of 2 dimensions (rows, columns), found {}", name,
                        shape.size()),
            shape.size() == 1 ? "in Python: array.reshape(-1, n_dims)" : "");
    if (reader.is_fortran() && shape[0] > 1 && shape[1] > 1)
        throw InputError(fmt::format("{}: expected C order, found Fortran order", name),
                         "in Python: numpy.save(file, numpy.ascontiguousarray(array))");
    if (shape[1] < 1 || shape[1] > kMaxDims)
        throw InputError(
            fmt::format("{}: expected 1 to {} columns, found {}", name, kMaxDims, shape[1]));
    std::uint64_t n_data = 0;
    if (__builtin_mul_overflow(shape[0], shape[1] * size_of(element), &n_data) ||
        n_data > INT64_MAX)
        throw InputError(fmt::format("{}: expected data below 2^63 bytes, found a shape of {} x {}",
                                     name, shape[0], shape[1]));
    return {element, shape[0], static_cast<std::size_t>(shape[1])};
}

std::string
make_npy_header(std::uint64_t n_rows, std::size_t n_columns) {
    constexpr std::size_t kBytes = 128;
    std::string text(kMagic);
    text += '\1';
    text += '\0';
    text += static_cast<char>(kBytes - 10);
    text += '\0';
    text += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", n_rows,
                        n_columns);
    text.resize(kBytes - 1, ' ');
    return text + '\n';
}

}  // namespace vext::client
