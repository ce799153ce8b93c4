// Where the next row of a table scan lies in memory, told from where the last ones lay.
//
// The rows of a page lie side by side, a step apart, and pages follow one another by a jump. So the
// steps between rows of one size repeat with a period of as many rows as a page holds.

#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace vext::core {

/// Made of zeros: a call site's memory comes so from the server.
class RowSteps {
   public:
    /// Takes note of a row. Returns where the next is likely to be, or 0 where the last ones were
    /// not foretold.
    std::uintptr_t
    pass(std::uintptr_t row) {
        constexpr std::uint32_t kEnough = 2;
        if (row == next_)
            trust_ = std::min(trust_ + 1, 2 * kEnough);
        else if (trust_ > 0)
            --trust_;
        if (last_ != 0)
            learn(row - last_);
        last_ = row;
        const bool is_page_over = jump_ != 0 && n_steps_ == n_steps_of_page_;
        next_ = row + (is_page_over ? jump_ : step_);
        return trust_ >= kEnough ? next_ : 0;
    }

   private:
    void
    learn(std::uintptr_t difference) {
        if (difference == step_) {
            ++n_steps_;
            return;
        }
        // Two jumps running: the first was a step of pages other than those before.
        if (n_steps_ == 0 && jump_ != 0) {
            step_ = jump_;
            n_steps_ = 1;
        }
        jump_ = difference;
        n_steps_of_page_ = n_steps_;
        n_steps_ = 0;
    }

    std::uintptr_t last_;
    std::uintptr_t next_;
    std::uintptr_t step_;            ///< within a page, modulo 2^64 as all differences
    std::uintptr_t jump_;            ///< between the last two pages; 0 while it is not known
    std::uint32_t n_steps_;          ///< since the last jump
    std::uint32_t n_steps_of_page_;  ///< between the last two jumps
    std::uint32_t trust_;            ///< rises with each row that was foretold
};

static_assert(std::is_trivial_v<RowSteps>);

}  // namespace vext::core
