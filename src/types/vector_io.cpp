// Text and binary input and output, and the type modifier (the number of dimensions).

#include <span>
#include <string_view>

#include "core/text/vector_text.h"
#include "core/text/vector_wire.h"
#include "pg/array.h"
#include "pg/function.h"
#include "pg/wire.h"
#include "types/checks.h"
#include "types/text_errors.h"
#include "types/vector.h"

namespace vext::types {

namespace {

using core::TextError;
using core::WireError;

// Null after a soft error.
template <typename Number>
Dense<Number>*
from_text(const char* text, std::int32_t typmod, Node* context) {
    Number values[kMaxDims];
    const core::ParsedVector parsed = core::parse_vector(text, values);
    if (parsed.error != TextError::kNone) {
        report_text_error(parsed, kTypeName<Number>, text, context);
        return nullptr;
    }
    if (!check_expected_dims(typmod, parsed.n_dims, context))
        return nullptr;
    return new_vector(std::span<const Number>(values, parsed.n_dims));
}

// Null when the text is no vector.
template <typename Number>
Dense<Number>*
parse_or_null(std::string_view text) {
    Number values[kMaxDims];
    const core::ParsedVector parsed = core::parse_vector(text, values);
    if (parsed.error != TextError::kNone)
        return nullptr;
    return new_vector(std::span<const Number>(values, parsed.n_dims));
}

template <typename Number>
char*
to_text(std::span<const Number> values) {
    const std::size_t limit = core::printed_size_limit(values.size());
    char* text = static_cast<char*>(palloc(limit + 1));
    text[core::print_vector(values, {text, limit})] = '\0';
    return text;
}

void
raise_wire_error(const char* type, const core::DecodedVector& decoded) {
    switch (decoded.error) {
        case WireError::kNone:
            return;
        case WireError::kTooShort:
            return raise_too_short();
        case WireError::kLeftOver:
            return raise_left_over();
        case WireError::kNoDimensions:
            return report_no_dimensions(
                type, nullptr,
                decoded.looks_like_array
                    ? "This is an array in binary form; send it as text, or cast it."
                    : nullptr);
        case WireError::kTooManyDimensions:
            return report_too_many_dimensions(
                type, nullptr,
                decoded.looks_like_text ? "This looks like the text form; send it in text format."
                                        : nullptr);
        case WireError::kUnusedNotZero:
            return raise_unused_not_zero(decoded.unused);
        case WireError::kNan:
            return report_nan(type);
        case WireError::kInfinite:
            return report_infinite(type);
    }
}

template <typename Number>
Dense<Number>*
from_wire(StringInfo message, std::int32_t typmod) {
    Number values[kMaxDims];
    const core::DecodedVector decoded = core::decode_vector(pg::take_rest(message), values);
    raise_wire_error(kTypeName<Number>, decoded);
    check_expected_dims(typmod, decoded.n_dims);
    return new_vector(std::span<const Number>(values, decoded.n_dims));
}

template <typename Number>
bytea*
to_wire(std::span<const Number> values) {
    bytea* message = pg::new_bytea(core::wire_size<Number>(values.size()));
    core::encode_vector(values, pg::bytes_of(message));
    return message;
}

std::int32_t
typmod_from(const char* type, ArrayType* modifiers) {
    int n = 0;
    const std::int32_t* values = ArrayGetIntegerTypmods(modifiers, &n);
    if (n != 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid type modifier")));
    if (values[0] < 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("dimensions for type %s must be at least 1", type)));
    if (values[0] > static_cast<std::int32_t>(kMaxDims))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("dimensions for type %s cannot exceed %zu", type, kMaxDims)));
    return values[0];
}

// Null is also what the server expects after a soft error.
template <typename Number>
Datum
in(FunctionCallInfo fcinfo) {
    PG_RETURN_POINTER(from_text<Number>(PG_GETARG_CSTRING(0), PG_GETARG_INT32(2), fcinfo->context));
}

template <typename Number>
Datum
out(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    PG_RETURN_CSTRING(to_text(a.values()));
}

template <typename Number>
Datum
typmod_in(FunctionCallInfo fcinfo) {
    PG_RETURN_INT32(typmod_from(kTypeName<Number>, PG_GETARG_ARRAYTYPE_P(0)));
}

template <typename Number>
Datum
recv(FunctionCallInfo fcinfo) {
    auto* message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    PG_RETURN_POINTER(from_wire<Number>(message, PG_GETARG_INT32(2)));
}

template <typename Number>
Datum
send(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    PG_RETURN_BYTEA_P(to_wire(a.values()));
}

// The cast that enforces a type modifier; the value itself is passed on as it is stored.
template <typename Number>
Datum
to_typmod(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    check_expected_dims(PG_GETARG_INT32(1), a.values().size());
    PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

template <typename Number>
Datum
try_parse(FunctionCallInfo fcinfo) {
    auto* parsed = parse_or_null<Number>(pg::text_of(PG_GETARG_TEXT_PP(0)));
    if (parsed == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(parsed);
}

}  // namespace

VEXT_FUNCTION_AS(vector_in, in<float>);
VEXT_FUNCTION_AS(halfvec_in, in<Half>);
VEXT_FUNCTION_AS(vector_out, out<float>);
VEXT_FUNCTION_AS(halfvec_out, out<Half>);
VEXT_FUNCTION_AS(vector_typmod_in, typmod_in<float>);
VEXT_FUNCTION_AS(halfvec_typmod_in, typmod_in<Half>);
VEXT_FUNCTION_AS(vector_recv, recv<float>);
VEXT_FUNCTION_AS(halfvec_recv, recv<Half>);
VEXT_FUNCTION_AS(vector_send, send<float>);
VEXT_FUNCTION_AS(halfvec_send, send<Half>);
VEXT_FUNCTION_AS(vector_try_parse, try_parse<float>);
VEXT_FUNCTION_AS(halfvec_try_parse, try_parse<Half>);
VEXT_FUNCTION_AS(vector, to_typmod<float>);
VEXT_FUNCTION_AS(halfvec, to_typmod<Half>);

}  // namespace vext::types
