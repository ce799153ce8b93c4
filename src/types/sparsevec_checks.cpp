// What every maker of a sparse vector reports.

#include "types/sparsevec_checks.h"

#include "types/sparsevec.h"

namespace vext::types {

namespace {

using core::SparseError;

struct Report {
    int code;
    const char* text;
};

Report
report_of(SparseError error) {
    switch (error) {
        case SparseError::kNoDimensions:
            return {ERRCODE_DATA_EXCEPTION, "sparsevec must have at least 1 dimension"};
        case SparseError::kTooManyDimensions:
            return {ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                    "sparsevec cannot have more than 1000000000 dimensions"};
        case SparseError::kTooManyElements:
            return {ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                    "sparsevec cannot have more than 16000 non-zero elements"};
        case SparseError::kIndexOutOfBounds:
            return {ERRCODE_DATA_EXCEPTION, "sparsevec index out of bounds"};
        case SparseError::kDuplicateIndex:
            return {ERRCODE_DATA_EXCEPTION, "sparsevec indices must not contain duplicates"};
        case SparseError::kNan:
            return {ERRCODE_DATA_EXCEPTION, "NaN not allowed in sparsevec"};
        case SparseError::kInfinite:
            return {ERRCODE_DATA_EXCEPTION, "infinite value not allowed in sparsevec"};
        case SparseError::kNegativeCount:
            return {ERRCODE_DATA_EXCEPTION, "sparsevec cannot have negative number of elements"};
        case SparseError::kMoreElementsThanDimensions:
            return {ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                    "sparsevec cannot have more elements than dimensions"};
        case SparseError::kNotAscending:
            return {ERRCODE_DATA_EXCEPTION, "sparsevec indices must be in ascending order"};
        case SparseError::kZero:
            return {ERRCODE_DATA_EXCEPTION,
                    "binary representation of sparsevec cannot contain zero values"};
        default:
            return {ERRCODE_INTERNAL_ERROR, "unexpected error of sparsevec"};
    }
}

static_assert(core::kMaxSparseDims == 1000000000 && kMaxSparseEntries == 16000,
              "the texts above say so");

}  // namespace

void
report_sparse(SparseError error, Node* context, const char* hint) {
    const Report report = report_of(error);
    VEXT_ERRSAVE(context, (errcode(report.code), errmsg("%s", report.text),
                           hint != nullptr ? errhint("%s", hint) : 0));
}

void
raise_different_sparse_dims(std::int32_t a, std::int32_t b) {
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("different sparsevec dimensions %d and %d", a, b)));
}

}  // namespace vext::types
