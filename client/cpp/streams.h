// The standard streams of the program. What nobody hears on standard error ends nothing; what
// standard output loses is an error.

#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace vext::client {

/// Takes the places of streams that the caller closed, which the next file or connection would get:
/// it would be sent what is printed.
void hold_standard_streams();

/// To standard error, as far as it can be written.
void say_text(const std::string& text) noexcept;

template <typename... T>
void
say(fmt::format_string<T...> format, T&&... arguments) {
    say_text(fmt::format(format, std::forward<T>(arguments)...));
}

/// To standard output. What is lost is told by the two functions below.
void print_text(const std::string& text) noexcept;

template <typename... T>
void
print(fmt::format_string<T...> format, T&&... arguments) {
    print_text(fmt::format(format, std::forward<T>(arguments)...));
}

/// Throws an Error when something printed is known to be lost.
void check_printed();

/// Throws an Error unless everything printed has left by standard output.
void flush_output();

}  // namespace vext::client
