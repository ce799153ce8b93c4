// Imports with a name: chunks commit one by one, each noted in the same transaction in the table
// vector_bulk_imports beside the target, so that a second run goes on where the first one stopped.
//
// Two runs of the same import exclude each other by an advisory lock of the control connection. A
// chunk holds another one, shared, until its transaction ends; a new run waits for it before it
// reads what is noted, because a client that was killed can leave a server process that still
// commits.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load/copy_sink.h"
#include "server/connection.h"

namespace vext::client {

/// A file by what it is, not only by its name.
struct InputIdentity {
    std::string name;
    std::string fingerprint;
};
/// UsageError for standard input, which cannot be read again.
InputIdentity identify(const std::string& path);

class Import {
   public:
    Import(Connection& control, std::string id, const Table& target,
           std::vector<InputIdentity> inputs);

    /// Takes the import's lock, makes the table of imports when it is missing. UsageError when the
    /// import runs elsewhere, or was made with other files or for another table.
    void open();

    /// What earlier runs loaded, by input, sorted.
    std::vector<std::vector<RowRange>>
    done() const {
        return done_;
    }
    std::uint64_t
    n_rejected_before() const {
        return n_rejected_before_;
    }
    bool
    was_begun() const {
        return was_begun_;
    }

    /// The statements of a chunk's transaction.
    std::string lock_chunk_sql() const;
    std::string note_sql(std::size_t input, const RowRange& rows, std::uint64_t n_rejected) const;

   private:
    void make_table();
    void read_notes();

    Connection& control_;
    std::string id_;
    std::string target_;
    std::string table_;
    std::string relation_schema_;
    std::vector<InputIdentity> inputs_;
    std::vector<std::vector<RowRange>> done_;
    std::uint64_t n_rejected_before_ = 0;
    bool was_begun_ = false;
};

/// Commits a chunk after so many rows.
class ImportSink final : public Sink {
   public:
    ImportSink(Connection& connection, const Plan& plan,
               const std::vector<std::unique_ptr<Input>>& inputs, const Import& import,
               std::uint64_t n_chunk_rows);

    void put(const Encoded& piece) override;
    void finish() override;
    void abandon() noexcept override;

   private:
    struct Note {
        std::size_t input;
        RowRange rows;
        std::uint64_t n_rejected;
    };
    void commit_chunk();

    Connection& connection_;
    CopyStream stream_;
    const Import& import_;
    std::uint64_t n_chunk_rows_;
    std::uint64_t n_rows_ = 0;  ///< of the chunk that is open
    std::vector<Note> notes_;
};

}  // namespace vext::client
