// The errors that several functions of the vector type share; the texts are those clients know.

#include "types/checks.h"

#include <cmath>

#include "types/vector.h"

namespace vext::types {

void
check_dims(std::size_t n_dims) {
    if (n_dims == 0)
        report_no_dimensions();
    if (n_dims > kMaxDims)
        report_too_many_dimensions();
}

void
check_finite(std::span<const float> values) {
    for (float value : values) {
        if (std::isnan(value))
            report_nan();
        if (std::isinf(value))
            report_infinite();
    }
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
raise_different_dims(std::size_t a, std::size_t b) {
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("different vector dimensions %zu and %zu", a, b)));
}

void
report_no_dimensions(Node* context) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_DATA_EXCEPTION),
                           errmsg("vector must have at least 1 dimension")));
}

void
report_too_many_dimensions(Node* context, const char* hint) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                           errmsg("vector cannot have more than %zu dimensions", kMaxDims),
                           hint != nullptr ? errhint("%s", hint) : 0));
}

void
report_nan(Node* context) {
    VEXT_ERRSAVE(context, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("NaN not allowed in vector")));
}

void
report_infinite(Node* context) {
    VEXT_ERRSAVE(context,
                 (errcode(ERRCODE_DATA_EXCEPTION), errmsg("infinite value not allowed in vector")));
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

}  // namespace vext::types
