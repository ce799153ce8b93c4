#include "bulk/examine.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "bulk/target.h"
#include "core/array.h"
#include "core/text_builder.h"
#include "pg/memory.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

// Some types have errors of other classes for a text that they cannot read, such as regclass and
// those of extensions.
bool
is_of_value(int state) {
    constexpr int kOfText[] = {ERRCODE_SYNTAX_ERROR, ERRCODE_UNDEFINED_TABLE,
                               ERRCODE_UNDEFINED_OBJECT, ERRCODE_UNDEFINED_FUNCTION,
                               ERRCODE_INVALID_NAME};
    return pg::state_class(state) == pg::state_class(ERRCODE_DATA_EXCEPTION) ||
           pg::state_class(state) == pg::state_class(ERRCODE_PROGRAM_LIMIT_EXCEEDED) ||
           pg::state_class(state) == pg::state_class(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION) ||
           std::find(std::begin(kOfText), std::end(kOfText), state) != std::end(kOfText);
}

bool
is_not_of_cancel(int state) {
    return !pg::is_of_cancel_state(state);
}

bool
takes_chosen_rows(const BadRowQuery& query) {
    return query.when == When::kLate || query.when == When::kReferences;
}

class Examiner {
   public:
    Examiner(const Plan& plan, const Statements& statements, Rejects& rejects)
        : plan_(plan),
          statements_(statements),
          rejects_(rejects),
          arena_(pg::context_arena(CurrentMemoryContext)),
          bad_(arena_),
          found_(arena_) {}

    Examined examine(bool is_slow);

   private:
    void convert_values();
    void find_unconverted();
    void read_found();
    void ask(const BadRowQuery& query);
    void ask_conditions(const BadRowQuery& query);
    void choose_rows();
    void judge_text(BadRow& row) const;
    void settle();
    void drop_found();

    const Plan& plan_;
    const Statements& statements_;
    Rejects& rejects_;
    core::Arena arena_;
    core::Array<RowPlace> bad_;  ///< rows known as bad
    core::Array<BadRow> found_;  ///< by the last query, by number
    BadRow first_bad_ = {};      ///< without a table for them, the first one so far
    int64 before_ = std::numeric_limits<int64>::max();  ///< rows from here on do not matter
    Rows rows_ = {};
    int64 n_twice_ = 0;
    bool is_slow_ = false;
};

// Values are converted by thousands; the rows that fail among them are found by halving.
void
Examiner::find_unconverted() {
    pg::execute(statements_.every_row);
    const Rows all = {pg::elements_of<RowPlace>(pg::result_value(0, 1)),
                      pg::elements_of<int64>(pg::result_value(0, 2))};
    pg::Failure failure = {};
    const std::size_t most = rejects_.is_wanted() ? all.size() : 1;
    for_each_chunk(
        all.size(),
        [&](std::size_t low, std::size_t high) {
            const Rows some = all.range(low, high);
            const pg::Parameter parameters[] = {places_parameter(some.places),
                                                numbers_parameter(some.numbers)};
            return pg::try_statement(
                [&] {
                    pg::execute(statements_.some_trial, parameters);
                    pg::free_result();
                },
                is_of_value, failure);
        },
        [&](std::size_t i) {
            found_.push_back({all.places[i], all.numbers[i], failure.state,
                              core::TextBuilder(arena_).add(failure.message).c_str()});
            return found_.size() < most && !rejects_.is_exceeded_by(found_.size());
        });
}

void
Examiner::convert_values() {
    if (statements_.trial == nullptr)
        return;
    pg::Failure ignored = {};
    // As an INSERT of the caller would read them: some types look up names.
    if (!pg::try_statement([&] { pg::execute(statements_.trial); }, is_of_value, ignored))
        find_unconverted();
    settle();
}

void
Examiner::read_found() {
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        const auto place =
            *reinterpret_cast<const RowPlace*>(DatumGetPointer(pg::result_value(i, 1).value));
        const int64 number = DatumGetInt64(pg::result_value(i, 2).value);
        const char* state = pg::result_text(i, 3);
        const int packed =
            state == nullptr ? 0 : MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]);
        const char* column = pg::result_text(i, 5);
        found_.push_back({place, number, packed, pg::result_text(i, 4),
                          column == nullptr ? 0 : std::atoi(column)});
    }
    pg::free_result();
}

// Parameters as BadRowQuery has them.
void
Examiner::ask(const BadRowQuery& query) {
    pg::Parameter parameters[5] = {
        places_parameter(bad_.span()), {INT8OID, Int64GetDatum(before_)}, rejects_.limit()};
    const bool takes_rows = takes_chosen_rows(query);
    if (takes_rows) {
        parameters[3] = places_parameter(rows_.places);
        parameters[4] = numbers_parameter(rows_.numbers);
    }
    pg::execute(query.text, std::span(parameters).first(takes_rows ? 5 : 3));
    read_found();
}

// Of a condition that fails only the server knows in which row.
void
Examiner::ask_conditions(const BadRowQuery& query) {
    pg::Failure ignored = {};
    with_own_path([&] {
        if (!pg::try_statement([&] { ask(query); }, is_not_of_cancel, ignored))
            is_slow_ = rejects_.is_wanted();
    });
}

void
Examiner::choose_rows() {
    const pg::Parameter parameters[] = {places_parameter(bad_.span()),
                                        {INT8OID, Int64GetDatum(before_)}};
    pg::execute(statements_.order, parameters);
    rows_ = {pg::elements_of<RowPlace>(pg::result_value(0, 1)),
             pg::elements_of<int64>(pg::result_value(0, 2))};
    n_twice_ = DatumGetInt64(pg::result_value(0, 3).value);
}

// Of a text that is no vector the query does not tell what is wrong with it.
void
Examiner::judge_text(BadRow& row) const {
    const auto column =
        std::find_if(plan_.columns.begin(), plan_.columns.end(),
                     [&](const Column& one) { return one.number == row.text_column; });
    Oid input = InvalidOid;
    Oid parameter = InvalidOid;
    getTypeInputInfo(column->type.oid, &input, &parameter);
    char* text = pstrdup(row.message);
    pg::Failure failure = {ERRCODE_INVALID_TEXT_REPRESENTATION, row.message};
    (void)pg::try_statement([&] { OidInputFunctionCall(input, text, parameter, -1); }, is_of_value,
                            failure);
    row.state = failure.state;
    row.message = failure.message;
}

// Does with the rows found what is to be done with bad rows.
void
Examiner::settle() {
    for (BadRow& row : found_)
        if (row.state == 0)
            judge_text(row);
    if (!found_.is_empty() && rejects_.is_wanted()) {
        rejects_.write(found_.span());
        for (const BadRow& row : found_)
            bad_.push_back(row.place);
    } else if (!found_.is_empty()) {
        first_bad_ = found_[0];
        before_ = first_bad_.number;
    }
}

// Takes the rows found, which are sorted by their numbers, from those chosen.
void
Examiner::drop_found() {
    std::size_t n_kept = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (std::binary_search(
                found_.begin(), found_.end(), BadRow{{}, rows_.numbers[i], 0, nullptr},
                [](const BadRow& a, const BadRow& b) { return a.number < b.number; }))
            continue;
        rows_.places[n_kept] = rows_.places[i];
        rows_.numbers[n_kept++] = rows_.numbers[i];
    }
    rows_ = rows_.range(0, n_kept);
}

Examined
Examiner::examine(bool is_slow) {
    is_slow_ = is_slow;
    convert_values();
    for (const BadRowQuery& query : statements_.before_order) {
        found_.clear();
        if (query.when == When::kCondition)
            ask_conditions(query);
        else
            ask(query);
        settle();
    }
    choose_rows();
    for (const BadRowQuery& query : statements_.after_order) {
        do {
            found_.clear();
            if (query.when == When::kIfTwice && n_twice_ == 0)
                break;
            ask(query);
            settle();
            if (takes_chosen_rows(query) && rejects_.is_wanted() && !found_.is_empty())
                drop_found();
            // Without the rows found, others refer to nothing.
        } while (query.when == When::kReferences && rejects_.is_wanted() && !found_.is_empty());
    }
    if (first_bad_.message != nullptr)
        with_own_path([&] { rejects_.raise_first(first_bad_); });
    return {rows_, is_slow_};
}

}  // namespace

Examined
examine(const Plan& plan, const Statements& statements, Rejects& rejects) {
    return Examiner(plan, statements, rejects).examine(plan.ways.is_slow);
}

}  // namespace vext::bulk
