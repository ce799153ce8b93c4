#include "streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "error.h"

namespace vext::client {

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
flush_output() {
    int error = std::ferror(stdout) != 0 ? EIO : 0;
    if (std::fflush(stdout) != 0)
        error = errno;
    if (error != 0)
        throw Error(ExitCode::kStopped, fmt::format("standard output: {}", std::strerror(error)));
}

}  // namespace vext::client
