#include "server/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "error.h"
#include "server/interrupt.h"
#include "streams.h"

namespace vext::client {

namespace {

bool is_verbose = false;

std::string
without_newline(const char* text) {
    std::string line = text == nullptr ? "" : text;
    while (!line.empty() && (line.back() == '\n' || line.back() == ' '))
        line.pop_back();
    return line;
}

std::string
field_of(const PGresult* result, int field) {
    return without_newline(PQresultErrorField(result, field));
}

void
tell(const std::string& sql) {
    if (is_verbose)
        say("SQL: {}\n", sql);
}

}  // namespace

std::int64_t
Result::integer(int row, int column) const {
    return std::strtoll(PQgetvalue(result_.get(), row, column), nullptr, 10);
}

double
Result::number(int row, int column) const {
    return std::strtod(PQgetvalue(result_.get(), row, column), nullptr);
}

std::uint64_t
Result::n_affected() const {
    return std::strtoull(PQcmdTuples(result_.get()), nullptr, 10);
}

void
Connection::set_verbose(bool verbose) {
    is_verbose = verbose;
}

Connection::Connection(const std::string& dsn) {
    const std::array<const char*, 4> names = {"dbname", "fallback_application_name",
                                              "client_encoding", nullptr};
    const std::array<const char*, 4> values = {dsn.empty() ? nullptr : dsn.c_str(), "vector-bulk",
                                               "UTF8", nullptr};
    connection_ = PQconnectdbParams(names.data(), values.data(), 1);
    if (PQstatus(connection_) != CONNECTION_OK) {
        const std::string message = without_newline(PQerrorMessage(connection_));
        PQfinish(connection_);
        throw ConnectionError(message,
                              "--dsn or PGHOST, PGPORT, PGDATABASE, PGUSER say where to connect");
    }
    PQsetNoticeReceiver(connection_, take_notice, this);
}

Connection::~Connection() {
    PQfinish(connection_);
}

void
Connection::take_notice(void* self, const PGresult* result) {
    const std::string text = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
    if (is_verbose)
        say("NOTICE: {}\n", text);
    const auto& listener = static_cast<Connection*>(self)->listener_;
    if (listener)
        listener(text);
}

void
Connection::execute_cleanup(const std::string& sql) noexcept {
    if (PQstatus(connection_) == CONNECTION_OK)
        PQclear(PQexec(connection_, sql.c_str()));
}

void
Connection::throw_error(PGresult* result) {
    const Result owner(result);
    check_interrupt();
    const std::string sqlstate = result == nullptr ? "" : field_of(result, PG_DIAG_SQLSTATE);
    if (PQstatus(connection_) != CONNECTION_OK || sqlstate.substr(0, 3) == "57P") {
        std::string why = sqlstate.empty() ? without_newline(PQerrorMessage(connection_))
                                           : field_of(result, PG_DIAG_MESSAGE_PRIMARY);
        if (why.starts_with("FATAL:  "))
            why.erase(0, 8);
        throw ConnectionError("the connection to the server was lost: " + why);
    }
    if (sqlstate.empty())
        throw ServerError("XX000", without_newline(PQerrorMessage(connection_)));
    std::string message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
    if (const std::string detail = field_of(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty())
        message += "\nDETAIL: " + detail;
    if (const std::string context = field_of(result, PG_DIAG_CONTEXT); !context.empty())
        message += "\nCONTEXT: " + context;
    throw ServerError(sqlstate, message, field_of(result, PG_DIAG_MESSAGE_HINT));
}

Result
Connection::finish(PGresult* result) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_COPY_IN &&
        status != PGRES_COPY_OUT && status != PGRES_EMPTY_QUERY)
        throw_error(result);
    return Result(result);
}

Result
Connection::query(const std::string& sql, const std::vector<Parameter>& parameters) {
    tell(sql);
    std::vector<const char*> values;
    for (const Parameter& parameter : parameters)
        values.push_back(parameter ? parameter->c_str() : nullptr);
    const CancelOnInterrupt cancel(connection_);
    check_interrupt();
    return finish(PQexecParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                               values.data(), nullptr, nullptr, 0));
}

Result
Connection::execute(const std::string& sql) {
    tell(sql);
    const CancelOnInterrupt cancel(connection_);
    check_interrupt();
    return finish(PQexec(connection_, sql.c_str()));
}

Result
Connection::query_binary(const std::string& sql, std::span<const std::uint8_t> parameter,
                         std::uint32_t type_oid) {
    const char* value = reinterpret_cast<const char*>(parameter.data());
    const int length = static_cast<int>(parameter.size());
    const int format = 1;
    const Oid type = type_oid;
    const CancelOnInterrupt cancel(connection_);
    check_interrupt();
    return finish(PQexecParams(connection_, sql.c_str(), 1, &type, &value, &length, &format, 0));
}

void
Connection::prepare(const std::string& name, const std::string& sql, std::uint32_t type_oid) {
    check_interrupt();
    tell(sql);
    const Oid type = type_oid;
    const CancelOnInterrupt cancel(connection_);
    finish(PQprepare(connection_, name.c_str(), sql.c_str(), 1, &type));
}

Result
Connection::run_prepared(const std::string& name, std::span<const std::uint8_t> parameter) {
    check_interrupt();
    const char* value = reinterpret_cast<const char*>(parameter.data());
    const int length = static_cast<int>(parameter.size());
    const int format = 1;
    const CancelOnInterrupt cancel(connection_);
    return finish(PQexecPrepared(connection_, name.c_str(), 1, &value, &length, &format, 0));
}

void
Connection::begin_copy(const std::string& sql) {
    tell(sql);
    const CancelOnInterrupt cancel(connection_);
    check_interrupt();
    finish(PQexec(connection_, sql.c_str()));
}

void
Connection::put_copy(std::span<const std::uint8_t> bytes) {
    const CancelOnInterrupt cancel(connection_);
    // Parts, so that an error the server sent meanwhile is seen, and an interrupt heard.
    constexpr std::size_t kPart = 64 * 1024;
    for (std::size_t i = 0; i < bytes.size(); i += kPart) {
        check_interrupt();
        const std::span<const std::uint8_t> part =
            bytes.subspan(i).first(std::min(kPart, bytes.size() - i));
        if (PQputCopyData(connection_, reinterpret_cast<const char*>(part.data()),
                          static_cast<int>(part.size())) == 1)
            continue;
        // The reason is in the result, if the server gave one.
        PGresult* result = PQgetResult(connection_);
        if (PQresultStatus(result) == PGRES_COPY_IN) {
            PQclear(result);
            result = nullptr;
        }
        throw_error(result);
    }
}

std::uint64_t
Connection::end_copy() {
    const CancelOnInterrupt cancel(connection_);
    check_interrupt();
    if (PQputCopyEnd(connection_, nullptr) != 1)
        throw_error(PQgetResult(connection_));
    const Result result = finish(PQgetResult(connection_));
    while (PGresult* rest = PQgetResult(connection_))
        finish(rest);
    return result.n_affected();
}

void
Connection::abandon_copy(const std::string& reason) noexcept {
    if (PQstatus(connection_) != CONNECTION_OK)
        return;
    PQputCopyEnd(connection_, reason.c_str());
    while (PGresult* result = PQgetResult(connection_)) {
        const bool is_stuck = PQresultStatus(result) == PGRES_COPY_IN;
        PQclear(result);
        if (is_stuck)
            break;
    }
}

void
Connection::begin_copy_out(const std::string& sql) {
    tell(sql);
    const CancelOnInterrupt cancel(connection_);
    check_interrupt();
    finish(PQexec(connection_, sql.c_str()));
}

std::optional<std::string>
Connection::get_copy() {
    check_interrupt();
    const CancelOnInterrupt cancel(connection_);
    char* buffer = nullptr;
    const int n_bytes = PQgetCopyData(connection_, &buffer, 0);
    if (n_bytes >= 0) {
        std::string row(buffer, static_cast<std::size_t>(n_bytes));
        PQfreemem(buffer);
        return row;
    }
    while (PGresult* rest = PQgetResult(connection_))
        finish(rest);
    return std::nullopt;
}

void
Connection::rollback() noexcept {
    if (PQstatus(connection_) != CONNECTION_OK)
        return;
    if (PQtransactionStatus(connection_) == PQTRANS_ACTIVE)
        abandon_copy("cancelled");
    if (PQtransactionStatus(connection_) != PQTRANS_IDLE)
        PQclear(PQexec(connection_, "ROLLBACK"));
}

bool
Connection::is_in_transaction() const {
    const PGTransactionStatusType status = PQtransactionStatus(connection_);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

std::string
Connection::quote_name(std::string_view name) const {
    char* quoted = PQescapeIdentifier(connection_, name.data(), name.size());
    if (quoted == nullptr)
        throw UsageError(fmt::format("\"{}\" cannot be a name: {}", name,
                                     without_newline(PQerrorMessage(connection_))));
    std::string text = quoted;
    PQfreemem(quoted);
    return text;
}

std::string
Connection::quote_literal(std::string_view value) const {
    char* quoted = PQescapeLiteral(connection_, value.data(), value.size());
    if (quoted == nullptr)
        throw UsageError(fmt::format("\"{}\" cannot be a text: {}", value,
                                     without_newline(PQerrorMessage(connection_))));
    std::string text = quoted;
    PQfreemem(quoted);
    return text;
}

}  // namespace vext::client
