#include "server/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include "error.h"

namespace vext::client {

namespace {

std::atomic<bool> was_interrupted = false;
std::mutex cancels_mutex;
std::vector<PGcancel*> cancels;

/// A cancel is a connection of its own, so the lock is held for a while; connections end their
/// statements meanwhile and wait for it, which is right: a cancel must not hit the next statement.
void
cancel_statements() {
    const std::lock_guard lock(cancels_mutex);
    std::array<char, 256> message{};
    for (PGcancel* cancel : cancels)
        PQcancel(cancel, message.data(), static_cast<int>(message.size()));
}

/// A statement that began just after its cancel was sent would not hear of it, so it is sent again.
void
wait_for_signals(sigset_t signals) {
    constexpr timespec kAgain = {0, 250'000'000};
    for (;;) {
        const int signal = sigtimedwait(&signals, nullptr, is_interrupted() ? &kAgain : nullptr);
        if (signal > 0 && was_interrupted.exchange(true))
            _exit(static_cast<int>(ExitCode::kInterrupted));
        if (is_interrupted())
            cancel_statements();
    }
}

}  // namespace

void
watch_for_interrupts() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    // A shell ignores SIGINT for what it starts in the background; what is ignored cannot be
    // awaited.
    std::signal(SIGINT, SIG_DFL);
    // All threads inherit the mask, so that the one below gets the signals.
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::thread(wait_for_signals, signals).detach();
}

bool
is_interrupted() {
    return was_interrupted.load(std::memory_order_relaxed);
}

void
check_interrupt() {
    if (is_interrupted())
        throw Interrupted();
}

void
cancel_all_statements() {
    cancel_statements();
}

CancelOnInterrupt::CancelOnInterrupt(PGconn* connection) : cancel_(PQgetCancel(connection)) {
    const std::lock_guard lock(cancels_mutex);
    if (cancel_ != nullptr)
        cancels.push_back(cancel_);
}

CancelOnInterrupt::~CancelOnInterrupt() {
    const std::lock_guard lock(cancels_mutex);
    std::erase(cancels, cancel_);
    PQfreeCancel(cancel_);
}

}  // namespace vext::client
