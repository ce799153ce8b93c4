#include "streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "error.h"

namespace vext::client {

namespace {

int output_error = 0;  ///< the first one

}  // namespace

void
hold_standard_streams() {
    // Opened the wrong way round, so that using one is still an error.
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream)
        if (fcntl(stream, F_GETFD) < 0)
            open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void
say_text(const std::string& text) noexcept {
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
}

void
print_text(const std::string& text) noexcept {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() && output_error == 0)
        output_error = errno;
}

void
check_printed() {
    if (output_error != 0)
        throw Error(ExitCode::kStopped,
                    fmt::format("standard output: {}", std::strerror(output_error)));
}

void
flush_output() {
    if (std::fflush(stdout) != 0 && output_error == 0)
        output_error = errno;
    check_printed();
}

}  // namespace vext::client
