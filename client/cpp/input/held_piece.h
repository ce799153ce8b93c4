// What text formats share: the first piece is read when the file is opened, to see what columns
// hold, and handed out later.

#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "input/lines.h"

namespace vext::client {

class HeldPieceInput : public Input {
   public:
    explicit HeldPieceInput(RecordCutter cutter) : cutter_(std::move(cutter)) {}

    bool
    next(Piece& piece) override {
        if (!is_held_)
            return cutter_.next(piece);
        is_held_ = false;
        std::swap(piece, held_);
        held_ = {};
        return !piece.bytes.empty();
    }
    std::uint64_t
    n_stored() const override {
        return cutter_.source().n_stored();
    }
    std::uint64_t
    n_stored_read() const override {
        return cutter_.source().n_stored_read();
    }

   protected:
    void
    hold() {
        is_held_ = cutter_.next(held_);
        if (held_.n_rows == 0)
            first_problem_ = "expected rows, found none";
    }
    /// The first problem of a first row is the one to tell.
    void
    note_problem(const std::string& place, const std::string& message) {
        if (first_problem_.empty())
            first_problem_ = fmt::format("{}: {}", place, message);
    }
    const Piece&
    held() const {
        return held_;
    }
    RecordCutter&
    cutter() {
        return cutter_;
    }

   private:
    RecordCutter cutter_;
    Piece held_;
    bool is_held_ = false;
};

}  // namespace vext::client
