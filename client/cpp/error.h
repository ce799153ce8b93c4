// What can end a command, each kind with the exit code that scripts rely on.

#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace vext::client {

enum class ExitCode : int {
    kDone = 0,
    kDoneWithRejects = 1,  ///< loaded, with rejects within the limit
    kStopped = 2,          ///< stopped by errors
    kUsage = 3,            ///< usage, or a bad file; nothing was loaded
    kConnection = 4,       ///< no connection, or it was lost
    kInterrupted = 130,    ///< Ctrl-C
};

/// The message is one or more lines without a full stop at the end; `hint` may be empty.
class Error : public std::runtime_error {
   public:
    Error(ExitCode exit_code, const std::string& message, std::string hint = {})
        : std::runtime_error(message), exit_code_(exit_code), hint_(std::move(hint)) {}

    ExitCode
    exit_code() const {
        return exit_code_;
    }
    const std::string&
    hint() const {
        return hint_;
    }

   private:
    ExitCode exit_code_;
    std::string hint_;
};

/// Options that contradict each other or name what does not exist.
class UsageError : public Error {
   public:
    explicit UsageError(const std::string& message, std::string hint = {})
        : Error(ExitCode::kUsage, message, std::move(hint)) {}
};

/// A file that is not what it should be: the message names file, place, what was expected and what
/// was found.
class InputError : public Error {
   public:
    explicit InputError(const std::string& message, std::string hint = {})
        : Error(ExitCode::kUsage, message, std::move(hint)) {}
};

/// No connection, or one that broke.
class ConnectionError : public Error {
   public:
    explicit ConnectionError(const std::string& message, std::string hint = {})
        : Error(ExitCode::kConnection, message, std::move(hint)) {}
};

/// The user pressed Ctrl-C, or the process was told to end.
class Interrupted : public Error {
   public:
    Interrupted() : Error(ExitCode::kInterrupted, "cancelled") {}
};

/// The server refused a statement.
class ServerError : public Error {
   public:
    ServerError(std::string sqlstate, const std::string& message, std::string hint = {})
        : Error(ExitCode::kStopped, message, std::move(hint)), sqlstate_(std::move(sqlstate)) {}

    const std::string&
    sqlstate() const {
        return sqlstate_;
    }

   private:
    std::string sqlstate_;
};

}  // namespace vext::client
