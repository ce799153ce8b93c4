// Ctrl-C and SIGTERM: remembered, and passed on to the server as a cancel of every statement that
// runs. A second one ends the process at once.

#pragma once

#include <libpq-fe.h>

namespace vext::client {

/// Starts the thread that waits for signals. Call once, before any other thread is started.
void watch_for_interrupts();

bool is_interrupted();

/// Throws Interrupted when Ctrl-C was pressed. Loops call it once a piece of work.
void check_interrupt();

/// While it lives, an interrupt cancels what the connection runs.
class CancelOnInterrupt {
   public:
    explicit CancelOnInterrupt(PGconn* connection);
    ~CancelOnInterrupt();
    CancelOnInterrupt(const CancelOnInterrupt&) = delete;
    CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;

   private:
    PGcancel* cancel_;
};

/// Cancels the statements of all connections, as Ctrl-C does, but does not count as an interrupt.
void cancel_all_statements();

}  // namespace vext::client
