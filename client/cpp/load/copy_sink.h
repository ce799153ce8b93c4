// Sinks over COPY: straight into a table, and in chunks that an import notes.

#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "load/pipeline.h"
#include "load/rejects.h"
#include "server/connection.h"

namespace vext::client {

/// One COPY of a plan's columns into a table; knows which row of which file the server means when
/// it names a line.
class CopyStream {
   public:
    CopyStream(Connection& connection, const Plan& plan, std::string table,
               const std::vector<std::unique_ptr<Input>>& inputs);

    void put(const Encoded& piece);
    /// Rows copied since the first put(); 0 when there was none.
    std::uint64_t end();
    void abandon() noexcept;
    /// Rows of the COPY.
    std::uint64_t
    n_sent() const {
        return n_sent_;
    }

    struct Place {
        std::size_t input = 0;
        std::uint64_t row = 0;  ///< 0: that row was never sent
    };
    /// Where the n-th row sent, counted from 1, comes from.
    Place find(std::uint64_t n) const;
    /// The same as "items.csv: row 17", or empty.
    std::string place_of(std::uint64_t n) const;

   private:
    struct Run {
        std::uint64_t first_sent;  ///< counted from 1
        std::size_t input;
        RowRange rows;
    };

    template <typename Work>
    auto with_place(Work work);
    void note_runs(const Encoded& piece);

    Connection& connection_;
    const Plan& plan_;
    std::string table_;
    const std::vector<std::unique_ptr<Input>>& inputs_;
    std::vector<Run> runs_;
    std::uint64_t n_sent_ = 0;
    bool is_open_ = false;
};

/// Everything by one COPY. The transaction is the caller's, unless `commits`.
class CopySink final : public Sink {
   public:
    CopySink(Connection& connection, const Plan& plan, std::string table,
             const std::vector<std::unique_ptr<Input>>& inputs, bool commits);

    void put(const Encoded& piece) override;
    void finish() override;
    void abandon() noexcept override;

    const CopyStream&
    stream() const {
        return stream_;
    }

   private:
    Connection& connection_;
    CopyStream stream_;
    bool commits_;
};

}  // namespace vext::client
