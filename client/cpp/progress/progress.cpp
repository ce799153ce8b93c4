#include "progress/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "progress/renderers.h"

namespace vext::client {

double
ProgressState::rate() const {
    return seconds > 0 ? static_cast<double>(done) / seconds : 0;
}

double
ProgressState::seconds_left() const {
    if (total == 0 || done == 0 || done > total)
        return -1;
    return seconds * static_cast<double>(total - done) / static_cast<double>(done);
}

Progress::Progress(ProgressKind kind) : renderer_(make_renderer(kind)) {
}

Progress::~Progress() {
    // On the way of an exception: the line must end, but the phase did not.
    if (is_running_)
        renderer_->note({});
}

double
Progress::elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void
Progress::begin(std::string phase, std::uint64_t total, std::string unit) {
    end();
    phase_ = phase;
    state_ = {std::move(phase), std::move(unit), 0, total, 0, 0};
    phase_start_ = start_ = std::chrono::steady_clock::now();
    next_ = 0;
    is_running_ = true;
    set(0);
}

void
Progress::set(std::uint64_t done, std::uint64_t rejected) {
    state_.done = done;
    state_.rejected = rejected;
    state_.seconds = elapsed();
    if (!is_running_ || state_.seconds < next_)
        return;
    next_ = state_.seconds + renderer_->interval();
    renderer_->show(state_);
}

void
Progress::step(const std::string& name, std::uint64_t total, std::string unit) {
    // How long until the next line is counted on from the step before.
    const double waited = next_ - elapsed();
    state_ = {phase_ + ": " + name, std::move(unit), 0, total, 0, 0};
    start_ = std::chrono::steady_clock::now();
    next_ = std::max(0.0, waited);
}

void
Progress::set_total(std::uint64_t total) {
    state_.total = total;
}

void
Progress::end() {
    if (!is_running_)
        return;
    is_running_ = false;
    if (state_.phase != phase_) {
        state_ = {phase_, state_.unit, 0, 0, 0, 0};
        start_ = phase_start_;
    }
    state_.seconds = elapsed();
    renderer_->show_end(state_);
}

void
Progress::note(std::string_view text) {
    renderer_->note(text);
}

std::string
with_thousands(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0)
            text += ',';
        text += digits[i];
    }
    return text;
}

std::string
human_bytes(std::uint64_t n_bytes) {
    static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double number = static_cast<double>(n_bytes);
    std::size_t unit = 0;
    while (number >= 999.95 && unit + 1 < std::size(kUnits)) {
        number /= 1000;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} bytes", n_bytes)
                     : fmt::format("{:.1f} {}", number, kUnits[unit]);
}

std::string
human_seconds(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::lround(std::max(0.0, seconds)));
    if (whole >= 3600)
        return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace vext::client
