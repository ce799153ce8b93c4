// The text form of a sparse vector read in the plainest way, number by number with strtol and
// strtof: the model that parse_sparse must equal, in its values and in its errors.

#pragma once

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/sparse.h"
#include "strtof_model.h"

namespace vext::test {

struct ModelSparse {
    core::SparseError error = core::SparseError::kNone;
    long n_dims = 0;
    std::vector<core::SparseEntry> entries;
    std::string number;
};

class SparseModel {
   public:
    SparseModel(const std::string& text, std::size_t max_entries)
        : p_(text.c_str()), end_(p_ + text.size()), max_entries_(max_entries) {}

    ModelSparse
    parse() {
        parsed_.error = read();
        if (parsed_.error != Error::kNone)
            parsed_.entries.clear();
        return parsed_;
    }

   private:
    using Error = core::SparseError;

    Error
    read() {
        if (!take('{'))
            return Error::kNoOpeningBrace;
        if (!take('}'))
            for (;;) {
                const Error error = read_entry();
                if (error != Error::kNone)
                    return error;
                if (take('}'))
                    break;
                if (!take(','))
                    return Error::kSyntax;
            }
        if (!take('/'))
            return Error::kUnexpectedEnd;
        if (!read_integer(parsed_.n_dims))
            return Error::kSyntax;
        skip_blanks();
        if (p_ != end_)
            return Error::kJunkAfterClosing;
        return judge();
    }

    Error
    read_entry() {
        long index = 0;
        if (!read_integer(index) || !take(':'))
            return Error::kSyntax;
        skip_blanks();
        float value = 0;
        const char* number_end = nullptr;
        errno = 0;
        core::TextError error = read_number_with_strtof(p_, kFloatLimit, value, number_end);
        if (error == core::TextError::kNone && errno == ERANGE && value == 0)
            error = core::TextError::kOutOfRange;
        switch (error) {
            case core::TextError::kNone:
                break;
            case core::TextError::kNan:
                return Error::kNan;
            case core::TextError::kInfinite:
                return Error::kInfinite;
            case core::TextError::kOutOfRange:
                parsed_.number.assign(p_, number_end);
                return Error::kOutOfRange;
            default:
                return Error::kSyntax;
        }
        p_ = number_end;
        if (value == 0)
            return Error::kNone;
        if (parsed_.entries.size() == max_entries_)
            return Error::kTooManyElements;
        index = std::clamp(index, -1000L, 2000000000L);
        parsed_.entries.push_back({static_cast<std::int32_t>(index - 1), value});
        return Error::kNone;
    }

    Error
    judge() {
        if (parsed_.n_dims < 1)
            return Error::kNoDimensions;
        if (parsed_.n_dims > 1000000000)
            return Error::kTooManyDimensions;
        std::vector<core::SparseEntry>& entries = parsed_.entries;
        std::ranges::sort(entries, {}, &core::SparseEntry::index);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (entries[i].index < 0 || entries[i].index >= parsed_.n_dims)
                return Error::kIndexOutOfBounds;
            if (i > 0 && entries[i].index == entries[i - 1].index)
                return Error::kDuplicateIndex;
        }
        return Error::kNone;
    }

    void
    skip_blanks() {
        while (std::isspace(static_cast<unsigned char>(*p_)))
            ++p_;
    }
    bool
    take(char c) {
        skip_blanks();
        if (*p_ != c || p_ == end_)
            return false;
        ++p_;
        return true;
    }
    bool
    read_integer(long& value) {
        char* number_end = nullptr;
        value = std::strtol(p_, &number_end, 10);
        const bool is_read = number_end != p_;
        p_ = number_end;
        return is_read;
    }

    const char* p_;
    const char* end_;
    std::size_t max_entries_;
    ModelSparse parsed_;
};

}  // namespace vext::test
