// Text and binary input and output of sparse vectors, and their type modifier (the number of
// dimensions).

#include <cstring>
#include <span>
#include <string_view>

#include "core/text/sparse_text.h"
#include "core/text/sparse_wire.h"
#include "pg/array.h"
#include "pg/function.h"
#include "pg/wire.h"
#include "types/checks.h"
#include "types/sparsevec.h"
#include "types/sparsevec_checks.h"

namespace vext::types {

namespace {

using core::SparseEntry;
using core::SparseError;

void
report_syntax(const char* text, const char* detail, Node* context) {
    const char* first = text + std::strspn(text, " \t\n\r\v\f");
    VEXT_ERRSAVE(context,
                 (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                  errmsg("invalid input syntax for type sparsevec: \"%s\"", text),
                  detail != nullptr ? errdetail("%s", detail) : 0,
                  *first == '['
                      ? errhint("Sparse vectors are written as index:value pairs and the number of "
                                "dimensions, as in \"{1:1.5,3:2}/5\".")
                      : 0));
}

void
report_out_of_range(std::string_view number, Node* context) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                           errmsg("\"%.*s\" is out of range for type sparsevec",
                                  static_cast<int>(number.size()), number.data())));
}

void
report_text_error(const core::ParsedSparse& parsed, const char* text, Node* context) {
    switch (parsed.error) {
        case SparseError::kNoOpeningBrace:
            return report_syntax(text, "Vector contents must start with \"{\".", context);
        case SparseError::kUnexpectedEnd:
            return report_syntax(text, "Unexpected end of input.", context);
        case SparseError::kJunkAfterClosing:
            return report_syntax(text, "Junk after closing.", context);
        case SparseError::kSyntax:
            return report_syntax(text, nullptr, context);
        case SparseError::kOutOfRange:
            return report_out_of_range(parsed.number, context);
        default:
            return report_sparse(parsed.error, context);
    }
}

// Null after a soft error.
SparseVector*
from_text(const char* text, std::int32_t typmod, Node* context) {
    SparseEntry entries[kMaxSparseEntries];
    const core::ParsedSparse parsed = core::parse_sparse(text, entries);
    // Where the dimensions are known, they are judged before the indices.
    if (parsed.n_dims > 0 && !check_expected_dims(typmod, parsed.n_dims, context))
        return nullptr;
    if (parsed.error != SparseError::kNone) {
        report_text_error(parsed, text, context);
        return nullptr;
    }
    return new_sparse(parsed.n_dims, std::span<const SparseEntry>(entries, parsed.n_entries));
}

char*
to_text(const core::SparseView& vector) {
    const std::size_t limit = core::printed_sparse_limit(vector.size());
    char* text = static_cast<char*>(palloc(limit + 1));
    text[core::print_sparse(vector, {text, limit})] = '\0';
    return text;
}

void
raise_wire_error(const core::DecodedSparse& decoded) {
    switch (decoded.error) {
        case SparseError::kNone:
            return;
        case SparseError::kTooShort:
            return raise_too_short();
        case SparseError::kLeftOver:
            return raise_left_over();
        case SparseError::kUnusedNotZero:
            return raise_unused_not_zero(decoded.unused);
        default:
            return report_sparse(decoded.error, nullptr,
                                 decoded.looks_like_text
                                     ? "This looks like the text form; send it in text format."
                                     : nullptr);
    }
}

SparseVector*
from_wire(StringInfo message, std::int32_t typmod) {
    SparseEntry entries[kMaxSparseEntries];
    const core::DecodedSparse decoded = core::decode_sparse(pg::take_rest(message), entries);
    if (decoded.n_dims > 0)
        check_expected_dims(typmod, decoded.n_dims);
    raise_wire_error(decoded);
    return new_sparse(decoded.n_dims, std::span<const SparseEntry>(entries, decoded.n_entries));
}

bytea*
to_wire(const core::SparseView& vector) {
    bytea* message = pg::new_bytea(core::sparse_wire_size(vector.size()));
    core::encode_sparse(vector, pg::bytes_of(message));
    return message;
}

std::int32_t
typmod_from(ArrayType* modifiers) {
    int n = 0;
    const std::int32_t* values = ArrayGetIntegerTypmods(modifiers, &n);
    if (n != 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid type modifier")));
    if (values[0] < 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("dimensions for type sparsevec must be at least 1")));
    if (values[0] > core::kMaxSparseDims)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("dimensions for type sparsevec cannot exceed %d", core::kMaxSparseDims)));
    return values[0];
}

}  // namespace

VEXT_FUNCTION(sparsevec_in) {
    // Null is also what the server expects after a soft error.
    PG_RETURN_POINTER(from_text(PG_GETARG_CSTRING(0), PG_GETARG_INT32(2), fcinfo->context));
}

VEXT_FUNCTION(sparsevec_out) {
    SparseArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_CSTRING(to_text(a.view()));
}

VEXT_FUNCTION(sparsevec_typmod_in) {
    PG_RETURN_INT32(typmod_from(PG_GETARG_ARRAYTYPE_P(0)));
}

VEXT_FUNCTION(sparsevec_recv) {
    auto* message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    PG_RETURN_POINTER(from_wire(message, PG_GETARG_INT32(2)));
}

VEXT_FUNCTION(sparsevec_send) {
    SparseArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_BYTEA_P(to_wire(a.view()));
}

// The cast that enforces a type modifier; the value itself is passed on as it is stored.
VEXT_FUNCTION(sparsevec) {
    SparseArgument a(PG_GETARG_DATUM(0));
    check_expected_dims(PG_GETARG_INT32(1), a.n_dims());
    PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

}  // namespace vext::types
