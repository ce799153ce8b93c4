// A connection over libpq: statements, COPY, quoting, and cancelling from another thread.
//
// One thread uses a connection at a time. Errors are exceptions: ServerError with its SQLSTATE,
// ConnectionError when the connection is gone, Interrupted when Ctrl-C cancelled the statement.

#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vext::client {

/// Rows of text values.
class Result {
   public:
    explicit Result(PGresult* result) : result_(result, PQclear) {}

    int
    n_rows() const {
        return PQntuples(result_.get());
    }
    bool
    is_null(int row, int column) const {
        return PQgetisnull(result_.get(), row, column) != 0;
    }
    std::string_view
    text(int row, int column) const {
        return {PQgetvalue(result_.get(), row, column),
                static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
    }
    std::string
    string(int row, int column) const {
        return std::string(text(row, column));
    }
    bool
    boolean(int row, int column) const {
        return text(row, column) == "t";
    }
    std::int64_t integer(int row, int column) const;
    double number(int row, int column) const;
    /// Rows that the statement inserted, updated, copied.
    std::uint64_t n_affected() const;

   private:
    std::shared_ptr<PGresult> result_;
};

/// A value of a statement's parameter; nothing is NULL. Sent as text.
using Parameter = std::optional<std::string>;

class Connection {
   public:
    /// `dsn` empty: libpq's environment. Says "vector-bulk" as application name.
    explicit Connection(const std::string& dsn);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// One statement with parameters $1, $2, ...
    Result query(const std::string& sql, const std::vector<Parameter>& parameters = {});
    /// One or more statements without parameters; the last one's result.
    Result execute(const std::string& sql);

    /// One binary parameter $1 and text parameters after it; results as text.
    Result query_binary(const std::string& sql, std::span<const std::uint8_t> parameter,
                        std::uint32_t type_oid);

    /// A statement that is planned once and run often, with a binary parameter $1 of this type.
    void prepare(const std::string& name, const std::string& sql, std::uint32_t type_oid);
    Result run_prepared(const std::string& name, std::span<const std::uint8_t> parameter);

    /// COPY ... FROM STDIN: begin, any number of pieces, end (rows copied) or give up.
    void begin_copy(const std::string& sql);
    void put_copy(std::span<const std::uint8_t> bytes);
    std::uint64_t end_copy();
    /// Ends the COPY by an error of ours; the transaction must be rolled back then.
    void abandon_copy(const std::string& reason) noexcept;

    /// COPY ... TO STDOUT: rows as the server sends them, until it returns nothing.
    void begin_copy_out(const std::string& sql);
    std::optional<std::string> get_copy();

    /// Statements that clean up: run even after Ctrl-C, errors are ignored.
    void execute_cleanup(const std::string& sql) noexcept;
    /// Rolls back what is open, whatever state the connection is in; never throws.
    void rollback() noexcept;
    bool is_in_transaction() const;

    std::string quote_name(std::string_view name) const;
    std::string quote_literal(std::string_view text) const;

    int
    backend_pid() const {
        return PQbackendPID(connection_);
    }
    /// 150004
    int
    server_version() const {
        return PQserverVersion(connection_);
    }

    /// Called with the text of each NOTICE and INFO, while a statement runs.
    void
    on_notice(std::function<void(const std::string&)> listener) {
        listener_ = std::move(listener);
    }

    /// Statements are written to standard error before they run.
    static void set_verbose(bool is_verbose);

   private:
    [[noreturn]] void throw_error(PGresult* result);
    Result finish(PGresult* result);

    static void take_notice(void* self, const PGresult* result);

    PGconn* connection_ = nullptr;
    std::function<void(const std::string&)> listener_;
};

}  // namespace vext::client
