#include "load/imports.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "error.h"

namespace vext::client {

namespace {

constexpr std::size_t kFingerprintBytes = 1 << 20;

/// FNV-1a.
std::uint64_t
hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

}  // namespace

InputIdentity
identify(const std::string& path) {
    if (path == "-")
        throw UsageError("--import-id: standard input cannot be read again");
    std::ifstream file(path, std::ios::binary);
    std::string start(kFingerprintBytes, '\0');
    file.read(start.data(), static_cast<std::streamsize>(start.size()));
    start.resize(static_cast<std::size_t>(file.gcount()));
    std::error_code ignored;
    const std::uintmax_t n_bytes = std::filesystem::file_size(path, ignored);
    return {path, fmt::format("{} bytes, {:016x}", n_bytes, hash_of(start))};
}

Import::Import(Connection& control, std::string id, const Table& target,
               std::vector<InputIdentity> inputs)
    : control_(control),
      id_(std::move(id)),
      target_(target.name),
      table_(target.schema + ".vector_bulk_imports"),
      relation_schema_(target.schema),
      inputs_(std::move(inputs)),
      done_(inputs_.size()) {
}

void
Import::open() {
    const Result locked =
        control_.query("SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 1))",
                       {"vector_bulk " + table_ + " " + id_});
    if (!locked.boolean(0, 0))
        throw UsageError(fmt::format("the import \"{}\" runs elsewhere", id_));
    // Waits for chunks of a run that was killed.
    control_.query(
        "SELECT pg_catalog.pg_advisory_lock(k), pg_catalog.pg_advisory_unlock(k) "
        "FROM pg_catalog.hashtextextended($1, 2) k",
        {"vector_bulk " + table_ + " " + id_});
    for (std::size_t i = 0; i < inputs_.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (inputs_[i].fingerprint == inputs_[j].fingerprint)
                throw UsageError(
                    fmt::format("--import-id: {} and {} begin alike and cannot be told apart",
                                inputs_[j].name, inputs_[i].name));
    make_table();
    read_notes();
}

void
Import::make_table() {
    const Result found = control_.query("SELECT pg_catalog.to_regclass($1)", {table_});
    if (!found.is_null(0, 0))
        return;
    try {
        control_.execute(fmt::format(
            "CREATE TABLE IF NOT EXISTS {0} (import_id text, target text NOT NULL, input text, "
            "fingerprint text NOT NULL, first_row bigint, n_rows bigint NOT NULL, "
            "n_rejected bigint NOT NULL, loaded_at timestamptz NOT NULL DEFAULT now(), "
            "PRIMARY KEY (import_id, input, first_row)); "
            "COMMENT ON TABLE {0} IS 'chunks that vector-bulk load --import-id has loaded'",
            table_));
    } catch (const ServerError& error) {
        // Another import made it at the same moment.
        if (error.sqlstate() != "23505" && error.sqlstate() != "42P07")
            throw ServerError(
                error.sqlstate(),
                fmt::format("--import-id needs the table {}: {}", table_, error.what()),
                fmt::format("the right CREATE on the schema {}, or on the table INSERT and "
                            "SELECT",
                            relation_schema_));
    }
}

void
Import::read_notes() {
    const Result notes = control_.query(
        fmt::format("SELECT target, input, fingerprint, first_row, n_rows, n_rejected FROM {} "
                    "WHERE import_id = $1 ORDER BY input, first_row",
                    table_),
        {id_});
    was_begun_ = notes.n_rows() > 0;
    for (int i = 0; i < notes.n_rows(); ++i) {
        if (notes.text(i, 0) != target_)
            throw UsageError(fmt::format("the import \"{}\" was made into {}, not into {}", id_,
                                         notes.text(i, 0), target_));
        const auto input = std::find_if(
            inputs_.begin(), inputs_.end(),
            [&](const InputIdentity& known) { return known.fingerprint == notes.text(i, 2); });
        if (input == inputs_.end())
            throw UsageError(
                fmt::format("the import \"{}\" was made with another file: {} of {}", id_,
                            notes.text(i, 1), notes.text(i, 2)),
                "an import goes on with the files it began with; others need another name");
        done_[static_cast<std::size_t>(input - inputs_.begin())].push_back(
            {static_cast<std::uint64_t>(notes.integer(i, 3)),
             static_cast<std::uint64_t>(notes.integer(i, 4))});
        n_rejected_before_ += static_cast<std::uint64_t>(notes.integer(i, 5));
    }
    for (std::vector<RowRange>& ranges : done_)
        std::sort(ranges.begin(), ranges.end(),
                  [](const RowRange& a, const RowRange& b) { return a.first < b.first; });
}

std::string
Import::lock_chunk_sql() const {
    return fmt::format(
        "SELECT pg_catalog.pg_advisory_xact_lock_shared("
        "pg_catalog.hashtextextended({}, 2))",
        control_.quote_literal("vector_bulk " + table_ + " " + id_));
}

std::string
Import::note_sql(std::size_t input, const RowRange& rows, std::uint64_t n_rejected) const {
    return fmt::format(
        "INSERT INTO {} (import_id, target, input, fingerprint, first_row, n_rows, n_rejected) "
        "VALUES ({}, {}, {}, {}, {}, {}, {})",
        table_, control_.quote_literal(id_), control_.quote_literal(target_),
        control_.quote_literal(inputs_[input].name),
        control_.quote_literal(inputs_[input].fingerprint), rows.first, rows.n, n_rejected);
}

ImportSink::ImportSink(Connection& connection, const Plan& plan,
                       const std::vector<std::unique_ptr<Input>>& inputs, const Import& import,
                       std::uint64_t n_chunk_rows)
    : connection_(connection),
      stream_(connection, plan, plan.table.name, inputs),
      import_(import),
      n_chunk_rows_(n_chunk_rows) {
}

void
ImportSink::put(const Encoded& piece) {
    // All of it was loaded before.
    if (piece.n_skipped == piece.covered.n)
        return;
    if (!connection_.is_in_transaction()) {
        connection_.execute("BEGIN");
        connection_.execute(import_.lock_chunk_sql());
    }
    if (piece.n_sent > 0)
        stream_.put(piece);
    // A piece may be covered in part by a run whose pieces were other ones: only what is new is
    // noted.
    std::vector<RowRange> fresh = piece.sent;
    for (const Reject& reject : piece.rejects)
        fresh.push_back({reject.row, 1});
    std::sort(fresh.begin(), fresh.end(),
              [](const RowRange& a, const RowRange& b) { return a.first < b.first; });
    std::uint64_t n_rejected = piece.rejects.size();
    for (const RowRange& rows : fresh) {
        if (!notes_.empty() && notes_.back().input == piece.input &&
            notes_.back().rows.first + notes_.back().rows.n == rows.first)
            notes_.back().rows.n += rows.n;
        else
            notes_.push_back({piece.input, rows, 0});
        notes_.back().n_rejected += std::exchange(n_rejected, 0);
    }
    n_rows_ += piece.n_sent + piece.rejects.size();
    if (n_rows_ >= n_chunk_rows_)
        commit_chunk();
}

void
ImportSink::commit_chunk() {
    if (!connection_.is_in_transaction())
        return;
    stream_.end();
    for (const Note& note : notes_)
        connection_.execute(import_.note_sql(note.input, note.rows, note.n_rejected));
    connection_.execute("COMMIT");
    notes_.clear();
    n_rows_ = 0;
}

void
ImportSink::finish() {
    commit_chunk();
}

void
ImportSink::abandon() noexcept {
    stream_.abandon();
    connection_.rollback();
}

}  // namespace vext::client
