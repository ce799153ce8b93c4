#include "progress/renderers.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "streams.h"

namespace vext::client {

namespace {

std::string
counts(const ProgressState& state) {
    const bool is_bytes = state.unit == "bytes";
    const std::string done = is_bytes ? human_bytes(state.done) : with_thousands(state.done);
    const std::string total = state.total == 0 ? ""
                                               : " of " + (is_bytes ? human_bytes(state.total)
                                                                    : with_thousands(state.total));
    const auto rate = static_cast<std::uint64_t>(state.rate());
    std::string text = fmt::format("{}{}{}, {}/s", done, total, is_bytes ? "" : " " + state.unit,
                                   is_bytes ? human_bytes(rate) : with_thousands(rate));
    if (state.rejected > 0)
        text += fmt::format(", {} rejected", with_thousands(state.rejected));
    return text;
}

/// What there was to count; nothing for a phase that counts nothing.
std::string
final_counts(const ProgressState& state) {
    return state.done == 0 && state.total == 0 ? "" : counts(state) + ", ";
}

int
terminal_columns() {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

class BarRenderer final : public ProgressRenderer {
   public:
    double
    interval() const override {
        return 0.1;
    }
    void
    show(const ProgressState& state) override {
        say("\r{}\033[K", bar_line(state, terminal_columns()));
        is_open_ = true;
    }
    void
    show_end(const ProgressState& state) override {
        say("\r{}: {}{}\033[K\n", state.phase, final_counts(state), human_seconds(state.seconds));
        is_open_ = false;
    }
    void
    note(std::string_view text) override {
        say("{}{}{}", is_open_ ? "\r\033[K" : "", text, text.empty() ? "" : "\n");
        is_open_ = false;
    }

   private:
    bool is_open_ = false;  ///< the cursor stands behind a bar
};

class PlainRenderer final : public ProgressRenderer {
   public:
    double
    interval() const override {
        return 5;
    }
    void
    show(const ProgressState& state) override {
        if (state.done == 0)
            return;
        const double left = state.seconds_left();
        say("{}: {}{}\n", state.phase, counts(state),
            left < 0 ? "" : ", " + human_seconds(left) + " left");
    }
    void
    show_end(const ProgressState& state) override {
        say("{}: {}{:.2f} s\n", state.phase, final_counts(state), state.seconds);
    }
    void
    note(std::string_view text) override {
        if (!text.empty())
            say("{}\n", text);
    }
};

class JsonRenderer final : public ProgressRenderer {
   public:
    double
    interval() const override {
        return 1;
    }
    void
    show(const ProgressState& state) override {
        say("{}\n", json_line(state, false));
    }
    void
    show_end(const ProgressState& state) override {
        say("{}\n", json_line(state, true));
    }
    void
    note(std::string_view text) override {
        if (!text.empty())
            say("{}\n", nlohmann::json{{"note", text}}.dump());
    }
};

class NoRenderer final : public ProgressRenderer {
   public:
    double
    interval() const override {
        return 1e9;
    }
    void
    show(const ProgressState&) override {}
    void
    show_end(const ProgressState&) override {}
    void
    note(std::string_view) override {}
};

}  // namespace

std::string
bar_line(const ProgressState& state, int n_columns) {
    std::string text = counts(state);
    if (const double left = state.seconds_left(); left >= 0)
        text += fmt::format(", {} left", human_seconds(left));
    std::string line = state.phase + " ";
    if (state.total > 0) {
        const double share =
            std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
        const int room = n_columns - 1 - static_cast<int>(line.size() + text.size()) - 9;
        const int width = std::min(room, 30);
        line += fmt::format("{:3.0f} % ", 100 * share);
        if (width >= 5) {
            const int full = static_cast<int>(share * width);
            line += '[' + std::string(static_cast<std::size_t>(full), '#') +
                    std::string(static_cast<std::size_t>(width - full), '.') + "] ";
        }
    }
    line += text;
    if (line.size() >= static_cast<std::size_t>(std::max(n_columns, 2)))
        line.resize(static_cast<std::size_t>(std::max(n_columns, 2)) - 1);
    return line;
}

std::string
json_line(const ProgressState& state, bool is_end) {
    nlohmann::ordered_json object = {{"phase", state.phase},       {"done", state.done},
                                     {"total", nullptr},           {"unit", state.unit},
                                     {"rejected", state.rejected}, {"elapsed", state.seconds},
                                     {"rate", state.rate()},       {"end", is_end}};
    if (state.total > 0)
        object["total"] = state.total;
    return object.dump();
}

std::unique_ptr<ProgressRenderer>
make_renderer(ProgressKind kind) {
    switch (kind) {
        case ProgressKind::kBar:
            return std::make_unique<BarRenderer>();
        case ProgressKind::kPlain:
            return std::make_unique<PlainRenderer>();
        case ProgressKind::kJson:
            return std::make_unique<JsonRenderer>();
        case ProgressKind::kNone:
            break;
    }
    return std::make_unique<NoRenderer>();
}

}  // namespace vext::client
