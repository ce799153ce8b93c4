// A stand-in for the part of the server that the graph on pages stands on: buffers, their locks,
// WAL records, errors, memory contexts, the free-space map and heavyweight locks, all of one
// relation in memory and one process. What the server only promises in words it holds to: that
// pages are locked in ascending order, that nothing is raised or waited for under a lock, that no
// pin is left.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "pg/server.h"

extern "C" {
#include "utils/rel.h"
}

namespace vext::test {

/// An error that was raised.
struct ServerError {
    std::string sqlstate;
    std::string message;
};

class MemoryServer {
   public:
    /// One at a time.
    MemoryServer();
    ~MemoryServer();
    MemoryServer(const MemoryServer&) = delete;
    MemoryServer& operator=(const MemoryServer&) = delete;

    Relation relation();

    /// The bytes of a block, of which there are n_blocks().
    std::uint8_t* page(BlockNumber block);
    BlockNumber n_blocks() const;

    /// WAL records so far.
    std::size_t n_records() const;

    /// Runs `body`; what it raised. Its locks and pins are gone then, as after an abort. What is
    /// raised jumps over frames: no object with a destructor may live in them.
    std::optional<ServerError> run(const std::function<void()>& body);

    /// Runs `body`, and stops it where the record behind `n` of them would be written, as a crash
    /// does. Whether it was stopped.
    bool run_until_record(std::size_t n, const std::function<void()>& body);

    /// Calls `other` each time a page is about to be locked while none is, as another backend could
    /// come in between; not within itself. Where it would wait for a heavyweight lock of what it
    /// comes in between of, it ends there, as if it were cancelled. Null: no more.
    void set_between(std::function<void()> other);

    /// How many locks, pins and heavyweight locks are held.
    std::size_t n_held() const;
};

}  // namespace vext::test
