// SQL statements that C++ runs, and errors of theirs that it survives.

#pragma once

#include <cstdint>
#include <span>

#include "pg/statement.h"
#include "pg/transaction.h"

namespace vext::pg {

/// Runs `body`, in which statements can be executed. What it allocates is gone afterwards.
template <typename Body>
void
with_spi(const Body& body) {
    if (SPI_connect() != SPI_OK_CONNECT)
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not connect to SPI"));
    body();
    SPI_finish();
}

struct Parameter {
    Oid type;
    Datum value;
    bool is_null = false;
};

/// A text without the line in which `part` is found; the text itself if it is not.
inline char*
without_line_of(char* text, const char* part) {
    char* first = text == nullptr ? nullptr : std::strstr(text, part);
    if (first == nullptr)
        return text;
    const char* behind = std::strchr(first + std::strlen(part), '\n');
    while (first != text && first[-1] != '\n')
        --first;
    if (behind == nullptr && first == text)
        return nullptr;
    if (behind == nullptr)
        first[-1] = '\0';
    else
        std::memmove(first, behind + 1, std::strlen(behind));
    return text;
}

/// Raises the error that was caught again, without the text of a statement that is not the user's.
[[noreturn]] inline void
rethrow_without(const char* statement, MemoryContext context) {
    MemoryContextSwitchTo(context);
    ErrorData* error = CopyErrorData();
    FlushErrorState();
    error->context = without_line_of(error->context, statement);
    if (error->internalquery != nullptr && std::strcmp(error->internalquery, statement) == 0) {
        error->internalquery = nullptr;
        error->internalpos = 0;
    }
    ReThrowError(error);
}

/// Executes a statement with the rights and the search_path in effect; returns how many rows it
/// gave, which are valid until the next statement. Its errors do not show it. Requires: with_spi;
/// at most 8 parameters.
inline std::uint64_t
execute(const char* statement, std::span<const Parameter> parameters = {}) {
    constexpr std::size_t kMostParameters = 8;
    Assert(parameters.size() <= kMostParameters);
    Oid types[kMostParameters] = {};
    Datum values[kMostParameters] = {};
    char nulls[kMostParameters] = {};
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        types[i] = parameters[i].type;
        values[i] = parameters[i].value;
        nulls[i] = parameters[i].is_null ? 'n' : ' ';
    }
    // SPI comes back in a memory context of its own.
    const MemoryContext context = CurrentMemoryContext;
    int status = 0;
    PG_TRY();
    {
        status = SPI_execute_with_args(statement, static_cast<int>(parameters.size()), types,
                                       values, nulls, false, 0);
    }
    PG_CATCH();
    { rethrow_without(statement, context); }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    if (status < 0)
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR),
                errmsg("could not execute a statement: %s", SPI_result_code_string(status)));
    return SPI_processed;
}

/// A value of the rows that the last statement gave; columns count from 1.
inline NullableDatum
result_value(std::uint64_t row, int column) {
    NullableDatum result = {};
    result.value =
        SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &result.isnull);
    return result;
}

/// A value of them as a text in the current memory context; null for NULL. Requires: the column is
/// of type text.
inline const char*
result_text(std::uint64_t row, int column) {
    const NullableDatum value = result_value(row, column);
    return value.isnull ? nullptr : TextDatumGetCString(value.value);
}

/// Gives back the memory of those rows.
inline void
free_result() {
    SPI_freetuptable(SPI_tuptable);
}

/// What an error that was survived has told.
struct Failure {
    int state;  ///< the SQLSTATE as the server packs it
    const char* message;
};

/// Runs `body` in a subtransaction. False, and `failure` is set, when it fails with an error whose
/// SQLSTATE `is_expected(int)` accepts; others are raised again.
template <typename Body, typename IsExpected>
bool
try_statement(const Body& body, const IsExpected& is_expected, Failure& failure) {
    const ErrorData* error = nullptr;
    const bool is_done = try_in_subtransaction(
        body, [&](const ErrorData& data) { return is_expected(data.sqlerrcode); }, &error);
    if (!is_done)
        failure = {error->sqlerrcode, error->message};
    return is_done;
}

/// Whether an SQLSTATE tells of somebody's wish to end the statement or the session, which is no
/// more to be survived than a failed assertion.
inline bool
is_of_cancel_state(int state) {
    return ERRCODE_TO_CATEGORY(state) == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
           state == ERRCODE_ASSERT_FAILURE;
}

/// The class of an SQLSTATE, to be compared with that of an ERRCODE_ constant.
inline int
state_class(int state) {
    return ERRCODE_TO_CATEGORY(state);
}

}  // namespace vext::pg
