// The errors that several functions of vectors share; the texts are those clients know.

#include "types/checks.h"

#include "pg/numeric.h"

namespace vext::types {

void
check_dims(std::size_t n_dims, const char* type) {
    if (n_dims == 0)
        report_no_dimensions(type);
    if (n_dims > kMaxDims)
        report_too_many_dimensions(type);
}

template <typename Number>
void
check_finite(std::span<const Number> values) {
    for (Number value : values) {
        if (core::is_nan(value))
            report_nan(kTypeName<Number>);
        if (core::is_infinite(value))
            report_infinite(kTypeName<Number>);
    }
}

template void check_finite(std::span<const float> values);
template void check_finite(std::span<const Half> values);

void
raise_out_of_range(const char* type, float value) {
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("\"%s\" is out of range for type %s", pg::float_text(value), type)));
    pg_unreachable();
}

bool
check_expected_dims(std::int32_t expected, std::size_t n_dims, Node* context) {
    if (expected == -1 || static_cast<std::size_t>(expected) == n_dims)
        return true;
    VEXT_ERRSAVE(context, (errcode(ERRCODE_DATA_EXCEPTION),
                           errmsg("expected %d dimensions, not %zu", expected, n_dims)));
    return false;
}

void
raise_different_dims(const char* type, std::size_t a, std::size_t b) {
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("different %s dimensions %zu and %zu", type, a, b)));
}

void
report_no_dimensions(const char* type, Node* context, const char* hint) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_DATA_EXCEPTION),
                           errmsg("%s must have at least 1 dimension", type),
                           hint != nullptr ? errhint("%s", hint) : 0));
}

void
report_too_many_dimensions(const char* type, Node* context, const char* hint) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                           errmsg("%s cannot have more than %zu dimensions", type, kMaxDims),
                           hint != nullptr ? errhint("%s", hint) : 0));
}

void
report_nan(const char* type, Node* context) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("NaN not allowed in %s", type)));
}

void
report_infinite(const char* type, Node* context) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_DATA_EXCEPTION),
                           errmsg("infinite value not allowed in %s", type)));
}

void
raise_overflow() {
    ereport(ERROR,
            (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: overflow")));
}

void
raise_underflow() {
    ereport(ERROR,
            (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: underflow")));
}

void
raise_too_short() {
    ereport(ERROR,
            (errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("insufficient data left in message")));
}

void
raise_left_over() {
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                    errmsg("incorrect binary data format")));
}

void
raise_unused_not_zero(std::int32_t unused) {
    ereport(ERROR,
            (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected unused to be 0, not %d", unused)));
}

}  // namespace vext::types
