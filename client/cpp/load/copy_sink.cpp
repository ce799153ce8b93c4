#include "load/copy_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "error.h"

namespace vext::client {

CopyStream::CopyStream(Connection& connection, const Plan& plan, std::string table,
                       const std::vector<std::unique_ptr<Input>>& inputs)
    : connection_(connection), plan_(plan), table_(std::move(table)), inputs_(inputs) {
}

/// Errors that name a line of the COPY get the row of the file in front.
template <typename Work>
auto
CopyStream::with_place(Work work) {
    try {
        return work();
    } catch (const ServerError& error) {
        const std::string message = error.what();
        const std::size_t context = message.find("CONTEXT: COPY ");
        const std::size_t at =
            context == std::string::npos ? context : message.find(", line ", context);
        if (at == std::string::npos)
            throw;
        const std::string place = place_of(std::strtoull(message.c_str() + at + 7, nullptr, 10));
        if (place.empty())
            throw;
        throw ServerError(error.sqlstate(), fmt::format("{}: {}", place, message), error.hint());
    }
}

void
CopyStream::put(const Encoded& piece) {
    with_place([&] {
        if (!is_open_) {
            connection_.begin_copy(fmt::format("COPY {} ({}) FROM STDIN{}", table_,
                                               plan_.column_list(connection_),
                                               plan_.is_text ? "" : " (FORMAT binary)"));
            is_open_ = true;
            runs_.clear();
            n_sent_ = 0;
            if (!plan_.is_text)
                connection_.put_copy(copy_header());
        }
        note_runs(piece);
        connection_.put_copy(piece.bytes);
    });
}

void
CopyStream::note_runs(const Encoded& piece) {
    for (const RowRange& rows : piece.sent) {
        if (!runs_.empty() && runs_.back().input == piece.input &&
            runs_.back().rows.first + runs_.back().rows.n == rows.first)
            runs_.back().rows.n += rows.n;
        else
            runs_.push_back({n_sent_ + 1, piece.input, rows});
        n_sent_ += rows.n;
    }
}

CopyStream::Place
CopyStream::find(std::uint64_t n) const {
    const auto after = std::upper_bound(
        runs_.begin(), runs_.end(), n,
        [](std::uint64_t number, const Run& run) { return number < run.first_sent; });
    if (after == runs_.begin())
        return {};
    const Run& run = *std::prev(after);
    const std::uint64_t offset = n - run.first_sent;
    return offset < run.rows.n ? Place{run.input, run.rows.first + offset} : Place{};
}

std::string
CopyStream::place_of(std::uint64_t n) const {
    const Place place = find(n);
    return place.row == 0 ? "" : fmt::format("{}: row {}", inputs_[place.input]->name(), place.row);
}

std::uint64_t
CopyStream::end() {
    if (!is_open_)
        return 0;
    return with_place([&] {
        if (!plan_.is_text)
            connection_.put_copy(copy_trailer());
        is_open_ = false;
        return connection_.end_copy();
    });
}

void
CopyStream::abandon() noexcept {
    if (is_open_)
        connection_.abandon_copy("the client gave up");
    is_open_ = false;
}

CopySink::CopySink(Connection& connection, const Plan& plan, std::string table,
                   const std::vector<std::unique_ptr<Input>>& inputs, bool commits)
    : connection_(connection),
      stream_(connection, plan, std::move(table), inputs),
      commits_(commits) {
}

void
CopySink::put(const Encoded& piece) {
    if (commits_ && !connection_.is_in_transaction())
        connection_.execute("BEGIN");
    stream_.put(piece);
}

void
CopySink::finish() {
    stream_.end();
    if (commits_ && connection_.is_in_transaction())
        connection_.execute("COMMIT");
}

void
CopySink::abandon() noexcept {
    stream_.abandon();
    connection_.rollback();
}

}  // namespace vext::client
