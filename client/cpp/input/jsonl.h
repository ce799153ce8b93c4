// JSON lines: one object a line. Objects are taken apart by a scanner of our own, which leaves
// numbers in place, so that long arrays are read once, as vectors.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "input/input.h"

namespace vext::client {

/// Walks over the members of one object.
class JsonMembers {
   public:
    explicit JsonMembers(std::string_view text) : text_(text) {}

    /// The next member; false at the end of the object, or when problem() is set. `value` is kNull,
    /// kString (unescaped) or kJson; views are valid until the next call.
    bool next(std::string_view& key, Field& value);

    const std::optional<Problem>&
    problem() const {
        return problem_;
    }

   private:
    bool fail(std::string_view why);
    bool take_end();
    void skip_blanks();
    bool take(char c);
    bool read_string(std::string_view& out, std::string& unescaped);
    bool read_value(Field& value);
    bool read_nested(std::string_view& out);

    std::string_view text_;
    std::size_t at_ = 0;
    bool is_started_ = false;
    std::string key_;
    std::string string_;
    std::optional<Problem> problem_;
};

/// Is the text a JSON value?
bool is_json(std::string_view text);

}  // namespace vext::client
