// See text_errors.h. Messages, and DETAIL of texts without brackets, are those that clients know.

#include "types/text_errors.h"

#include <algorithm>

#include "pg/multibyte.h"
#include "types/checks.h"

namespace vext::types {

namespace {

using core::ParsedVector;
using core::TextError;

constexpr int kMostShown = 200;
constexpr int kMostOfElement = 40;

constexpr const char* kBrackets = "Vectors are written with brackets, as in \"[1,2,3]\".";

bool
is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Requires: `word` is in lower case.
bool
starts_with(std::string_view text, std::string_view word) {
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(),
                      [](char letter, char c) { return letter == (c | 0x20); });
}

// What people send in place of a number.
const char*
hint_for_element(std::string_view element) {
    if (element.empty())
        return nullptr;
    if (element.front() == '[')
        return "This looks like a list of vectors; each is a value of its own.";
    if (element.front() == '"' || element.front() == '\'')
        return "Numbers are written without quotes.";
    if (starts_with(element, "null") || starts_with(element, "none"))
        return "No element of a vector can be NULL.";
    if (std::any_of(element.begin(), element.end(), is_blank))
        return "Numbers are separated by commas, as in \"[1,2,3]\".";
    return nullptr;
}

const char*
hint_for_start(std::string_view text) {
    const char* first = std::find_if_not(text.begin(), text.end(), is_blank);
    if (first == text.end())
        return nullptr;
    return std::string_view("{(-+.0123456789").find(*first) == std::string_view::npos ? nullptr
                                                                                      : kBrackets;
}

void
report_syntax(const char* type, std::string_view text, const char* detail, const char* hint,
              Node* context) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                           errmsg("invalid input syntax for type %s: \"%s\"", type,
                                  pg::shortened(text, kMostShown)),
                           detail != nullptr ? errdetail_internal("%s", detail) : 0,
                           hint != nullptr ? errhint("%s", hint) : 0));
}

void
report_element(const ParsedVector& parsed, const char* type, std::string_view text, Node* context) {
    const auto number = static_cast<long long>(parsed.n_dims) + 1;
    if (parsed.element.data() == nullptr)
        return report_syntax(type, text, "Unexpected end of input.", nullptr, context);
    if (parsed.element.empty())
        return report_syntax(type, text, psprintf("Element %lld is empty.", number), nullptr,
                             context);
    report_syntax(
        type, text,
        psprintf("Element %lld is \"%s\".", number, pg::shortened(parsed.element, kMostOfElement)),
        hint_for_element(parsed.element), context);
}

void
report_out_of_range(std::string_view number, const char* type, Node* context) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                           errmsg("\"%s\" is out of range for type %s",
                                  pg::shortened(number, kMostShown), type)));
}

}  // namespace

void
report_text_error(const ParsedVector& parsed, const char* type, std::string_view text,
                  Node* context) {
    switch (parsed.error) {
        case TextError::kNone:
            return;
        case TextError::kNoOpeningBracket:
            return report_syntax(type, text, "Vector contents must start with \"[\".",
                                 hint_for_start(text), context);
        case TextError::kJunkAfterClosing:
            return report_syntax(type, text, "Junk after closing right brace.", nullptr, context);
        case TextError::kSyntax:
            return report_element(parsed, type, text, context);
        case TextError::kNoDimensions:
            return report_no_dimensions(type, context);
        case TextError::kTooManyDimensions:
            return report_too_many_dimensions(type, context);
        case TextError::kNan:
            return report_nan(type, context);
        case TextError::kInfinite:
            return report_infinite(type, context);
        case TextError::kOutOfRange:
            return report_out_of_range(parsed.number, type, context);
    }
}

}  // namespace vext::types
