// How far a long operation is, on standard error: a bar, lines, JSON lines, or nothing.
//
// One thread reports. It calls set() as often as it likes; what is written is limited by time.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vext::client {

enum class ProgressKind : std::uint8_t { kBar, kPlain, kJson, kNone };

/// What a renderer is told. A phase is named in the present participle: "loading".
struct ProgressState {
    std::string phase;
    std::string unit;  ///< "rows", "bytes", ...
    std::uint64_t done = 0;
    std::uint64_t total = 0;  ///< 0: unknown
    std::uint64_t rejected = 0;
    double seconds = 0;  ///< since the phase began

    double rate() const;          ///< units a second
    double seconds_left() const;  ///< below zero: unknown
};

class ProgressRenderer {
   public:
    virtual ~ProgressRenderer() = default;
    /// How long to wait between two calls of show, in seconds.
    virtual double interval() const = 0;
    virtual void show(const ProgressState& state) = 0;
    /// The last word on a phase.
    virtual void show_end(const ProgressState& state) = 0;
    /// A line beside the progress.
    virtual void note(std::string_view text) = 0;
};

class Progress {
   public:
    explicit Progress(ProgressKind kind);
    ~Progress();

    /// Ends the phase before, if it still runs.
    void begin(std::string phase, std::uint64_t total, std::string unit = "rows");
    void set(std::uint64_t done, std::uint64_t rejected = 0);
    /// The phase goes on with a step of its own count: "index: linking". Its end tells the whole
    /// time.
    void step(const std::string& name, std::uint64_t total, std::string unit);
    /// For phases whose size shows late, or whose name changes with the server's.
    void set_total(std::uint64_t total);
    void end();
    void note(std::string_view text);

    /// Seconds since the phase began, also after its end.
    double
    seconds() const {
        return state_.seconds;
    }

   private:
    double elapsed() const;

    std::unique_ptr<ProgressRenderer> renderer_;
    ProgressState state_;
    std::string phase_;  ///< without its step
    std::chrono::steady_clock::time_point phase_start_;
    std::chrono::steady_clock::time_point start_;  ///< of the phase or its step
    double next_ = 0;
    bool is_running_ = false;
};

/// "1,234,567"
std::string with_thousands(std::uint64_t number);
/// "12.3 MB", in powers of 1000
std::string human_bytes(std::uint64_t n_bytes);
/// "0:05", "1:02:03"
std::string human_seconds(double seconds);

}  // namespace vext::client
