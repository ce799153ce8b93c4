#include "bulk/write.h"

#include "bulk/progress.h"
#include "core/array.h"
#include "core/text_builder.h"
#include "hnsw/gather/gather.h"
#include "pg/memory.h"

namespace vext::bulk {

namespace {

// Errors of these classes are not the fault of a row, but of rights, resources, the server.
bool
is_of_row(int state) {
    constexpr int kOthers[] = {ERRCODE_CONNECTION_EXCEPTION,
                               ERRCODE_FEATURE_NOT_SUPPORTED,
                               ERRCODE_INVALID_TRANSACTION_STATE,
                               ERRCODE_TRANSACTION_ROLLBACK,
                               ERRCODE_INSUFFICIENT_RESOURCES,
                               ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                               ERRCODE_OPERATOR_INTERVENTION,
                               ERRCODE_SYSTEM_ERROR,
                               ERRCODE_CONFIG_FILE_ERROR,
                               ERRCODE_INTERNAL_ERROR,
                               ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION};
    // What a policy forbids is.
    if (state == ERRCODE_INSUFFICIENT_PRIVILEGE)
        return true;
    return state != ERRCODE_ASSERT_FAILURE &&
           std::none_of(std::begin(kOthers), std::end(kOthers), [&](int other) {
               return pg::state_class(state) == pg::state_class(other);
           });
}

class Writer {
   public:
    Writer(const Plan& plan, const Statements& statements, const Rows& rows, Rejects& rejects)
        : plan_(plan),
          statements_(statements),
          rows_(rows),
          rejects_(rejects),
          arena_(pg::context_arena(CurrentMemoryContext)),
          bad_(arena_),
          early_(arena_),
          exists_(message_of_existing_key(arena_, plan)) {}

    Written write(bool is_slow);

   private:
    void run(const Rows& rows, std::size_t low, std::size_t high);
    void add_counts(const Rows& rows, std::size_t low);
    bool write_chunks(const Rows& rows);
    bool may_refer_to_others() const;
    void write_slowly();

    const Plan& plan_;
    const Statements& statements_;
    const Rows& rows_;
    Rejects& rejects_;
    core::Arena arena_;
    core::Array<BadRow> bad_;
    core::Array<BadRow> early_;  ///< rows that may refer to others which were not there yet
    const char* exists_;         ///< the message for a row whose key exists
    std::span<int64> counts_;    ///< as the last statement gave them
    pg::Failure failure_ = {};
    Written written_;
};

void
Writer::run(const Rows& rows, std::size_t low, std::size_t high) {
    const Rows some = rows.range(low, high);
    with_rows(static_cast<int64>(rows.size()), static_cast<int64>(low),
              rejects_.n_rejected() + static_cast<int64>(bad_.size()), [&] {
                  const pg::Parameter parameters[] = {places_parameter(some.places),
                                                      numbers_parameter(some.numbers)};
                  pg::execute(statements_.write, parameters);
              });
    counts_ = pg::elements_of<int64>(pg::result_value(0, 1));
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    const std::span<int64> counts = arena.allocate<int64>(counts_.size());
    std::copy(counts_.begin(), counts_.end(), counts.begin());
    counts_ = counts;
    pg::free_result();
}

// Behind the counts are the places of rows whose key another transaction has made meanwhile.
void
Writer::add_counts(const Rows& rows, std::size_t low) {
    int64* const totals[] = {&written_.inserted, &written_.updated, &written_.unchanged};
    const bool is_guarded = plan_.ways.is_guarded;
    for (std::size_t i = 0; i < (is_guarded ? 1 : counts_.size()); ++i)
        *totals[i] += counts_[i];
    for (std::size_t i = 1; is_guarded && i < counts_.size(); ++i) {
        const std::size_t i_row = low + static_cast<std::size_t>(counts_[i]) - 1;
        bad_.push_back(
            {rows.places[i_row], rows.numbers[i_row], ERRCODE_UNIQUE_VIOLATION, exists_});
    }
}

bool
Writer::may_refer_to_others() const {
    return std::any_of(plan_.foreign_keys.begin(), plan_.foreign_keys.end(),
                       [](const ForeignKey& key) { return key.is_own; });
}

// Returns whether any row was written.
bool
Writer::write_chunks(const Rows& rows) {
    bool is_any_written = false;
    for_each_chunk(
        rows.size(),
        [&](std::size_t low, std::size_t high) {
            if (!pg::try_statement([&] { run(rows, low, high); }, is_of_row, failure_))
                return false;
            add_counts(rows, low);
            is_any_written = true;
            return true;
        },
        [&](std::size_t i) {
            const bool is_early =
                may_refer_to_others() && failure_.state == ERRCODE_FOREIGN_KEY_VIOLATION;
            (is_early ? early_ : bad_)
                .push_back({rows.places[i], rows.numbers[i], failure_.state,
                            core::TextBuilder(arena_).add(failure_.message).c_str()});
            return is_early || !rejects_.is_exceeded_by(bad_.size());
        },
        may_refer_to_others() ? rows.size() : kChunk);
    return is_any_written;
}

// Rows that refer to others of the target are tried again as long as others come in.
void
Writer::write_slowly() {
    // What is wrong with every row, such as a right that is missing, is no reason to reject one.
    run(rows_, 0, 0);
    Rows rows = rows_;
    while (write_chunks(rows) && !early_.is_empty() && !rejects_.is_exceeded_by(bad_.size())) {
        rows = {arena_.allocate<RowPlace>(early_.size()), arena_.allocate<int64>(early_.size())};
        for (std::size_t i = 0; i < early_.size(); ++i) {
            rows.places[i] = early_[i].place;
            rows.numbers[i] = early_[i].number;
        }
        early_.clear();
    }
    for (const BadRow& row : early_)
        bad_.push_back(row);
}

Written
Writer::write(bool is_slow) {
    if (rows_.size() > 0 && is_slow) {
        write_slowly();
    } else if (rows_.size() > 0) {
        run(rows_, 0, rows_.size());
        add_counts(rows_, 0);
    }
    // The time of a load is then that of its rows in the index, and not left to the commit.
    if (hnsw::has_gathered())
        hnsw::flush_all_gathered();
    if (!bad_.is_empty())
        rejects_.write(bad_.span());
    written_.n_merged = static_cast<int64>(rows_.size() - bad_.size());
    return written_;
}

}  // namespace

Written
write_rows(const Plan& plan, const Statements& statements, const Examined& examined,
           Rejects& rejects) {
    return Writer(plan, statements, examined.rows, rejects).write(examined.is_slow);
}

}  // namespace vext::bulk
