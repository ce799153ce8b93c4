// From inputs to sinks: one thread at a time cuts pieces, some encode them, and each sink takes
// them on a thread of its own. With one sink the rows arrive in the order of the files.
//
//   inputs -> (mutex) piece -> encoder threads -> window, in order -> sink threads
//
// The window is bounded, so memory does not grow with the file. The first error of any thread ends
// all; the caller's thread watches, reports progress, and throws it.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "load/encoder.h"

namespace vext::client {

/// Takes encoded pieces on its own thread: a COPY on a connection of its own.
class Sink {
   public:
    virtual ~Sink() = default;
    virtual void put(const Encoded& piece) = 0;
    /// All pieces have been taken.
    virtual void finish() = 0;
    /// Something failed, here or elsewhere: leave nothing open.
    virtual void abandon() noexcept = 0;
};

struct PipelineCounts {
    std::uint64_t n_sent = 0;
    std::uint64_t n_skipped = 0;
    std::uint64_t n_rejected = 0;
    std::uint64_t n_stored_read = 0;
};

struct PipelineOptions {
    std::size_t n_encoders = 1;
    /// By input: rows that earlier runs loaded, sorted.
    std::vector<std::vector<RowRange>> done;
    /// Called with each piece in the order of the files, one at a time, before a sink gets it; for
    /// rejects. May throw.
    std::function<void(const Encoded&)> on_piece;
    /// Called by the caller's thread about ten times a second.
    std::function<void(const PipelineCounts&)> on_tick;
};

/// Returns when every sink has finished; throws the first error after all have been abandoned.
PipelineCounts run_pipeline(std::vector<std::unique_ptr<Input>>& inputs, const Plan& plan,
                            const std::vector<Sink*>& sinks, const PipelineOptions& options);

}  // namespace vext::client
