// Text put together piece by piece over an arena.
//
// Memory: that of the arena; what text() and c_str() return stays valid, with what it held then,
// until the arena's owner is reset.

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/arena.h"
#include "core/array.h"

namespace vext::core {

class TextBuilder {
   public:
    explicit TextBuilder(Arena& arena) : characters_(arena) {}

    /// Appends texts and integers in turn.
    template <typename... Parts>
    TextBuilder&
    add(const Parts&... parts) {
        (add_one(parts), ...);
        return *this;
    }

    bool
    is_empty() const {
        return characters_.is_empty();
    }
    std::string_view
    text() const {
        return {characters_.begin(), characters_.size()};
    }
    /// The text with a zero behind it.
    const char*
    c_str() {
        characters_.push_back('\0');
        characters_.pop_back();
        return characters_.begin();
    }

   private:
    void
    add_one(std::string_view text) {
        characters_.reserve(characters_.size() + text.size());
        for (const char c : text)
            characters_.push_back(c);
    }

    template <std::integral Integer>
    void
    add_one(Integer number) {
        char digits[24];
        char* end = digits + sizeof(digits);
        char* first = end;
        const bool is_negative = number < 0;
        // The magnitude of the least value is not a value of its own type.
        auto rest = static_cast<std::uint64_t>(number);
        if (is_negative)
            rest = 0 - rest;
        do {
            *--first = static_cast<char>('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
        if (is_negative)
            *--first = '-';
        add_one(std::string_view(first, static_cast<std::size_t>(end - first)));
    }

    Array<char> characters_;
};

static_assert(std::is_trivially_destructible_v<TextBuilder>);

/// Texts and integers as one text, in memory of the arena.
template <typename... Parts>
std::string_view
concat(Arena& arena, const Parts&... parts) {
    return TextBuilder(arena).add(parts...).text();
}

/// What stands between the elements of a list: nothing before the first.
class Separator {
   public:
    explicit Separator(std::string_view text) : text_(text) {}

    std::string_view
    next() {
        const std::string_view text = is_first_ ? std::string_view() : text_;
        is_first_ = false;
        return text;
    }

   private:
    std::string_view text_;
    bool is_first_ = true;
};

}  // namespace vext::core
