// See cost.h.
//
// The costs of a path are reckoned in what the server's own ones are in, so that they compare with
// those of an exact search: reading a table of 384-dimensional vectors whole took 2.5 to 6 us per
// unit. What a search does was measured beside it (docs/decisions.md, "Plans"):
//
// A beam measures 3.4 m ef^(2/3) nodes of 200,000, and more by the logarithm of the index, before
// it returns a row. A search that goes on measures about as many as one beam as wide would have.
// What is returned is refined: two pages pinned, a residual read. What it takes to fetch the row
// and to filter it, the server adds, for as many rows as it takes the index to return.
//
// Which of the table's pages are read is charged as the server does it, but for the rows that are
// needed: the first thousand rows are of a thousand pages, and the next ones of the same.
// The rows that the index must return follow from those the query takes, by the selectivity of its
// conditions. LIMIT takes its share of a path's cost by rows, so the run's cost is linear in them.

#include "hnsw/scan/cost.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "hnsw/opclass.h"
#include "hnsw/options.h"
#include "hnsw/pages/foreign.h"
#include "pg/compat.h"
#include "pg/plan_tree.h"

namespace vext::hnsw {

namespace {

// The cost of a path that is taken away before the planner chooses (plan_hooks.cpp): beyond any
// other, so that no other gives way to it until then, and finite, since infinity soon makes a NaN.
constexpr Cost kUnusable = 1e30;

// Added to the cost of a path that returns fewer rows than the query takes: more than reading any
// table costs, and less than a kind of plan that is switched off.
constexpr Cost kDear = 1e8;

// Costs in units of cpu_operator_cost: to measure a node; to refine one; to read a byte of a value,
// and, where it is stored out of line, to find it and to put a byte of it together.
constexpr double kMeasure = 14, kRefine = 400;
constexpr double kReadByte = 0.065, kFetchValue = 400, kFetchByte = 0.065;

// What a LIMIT that is a parameter is taken for, at most.
constexpr double kGuessedLimit = 100;

// Of the rows that a scan may return, a query should need no more: how many match among them is
// known by a guess.
constexpr double kSureShare = 0.7;

// Of what a search remembers of each node that it returns, measured with work_mem from 64 kB to 8
// MB; a strict search remembers more.
constexpr double kBytesOfNode = 104, kBytesOfNodeInOrder = 160;

struct Costs {
    Cost startup;
    Cost total;  // of returning every row of the index
};

// Of a beam in an index of so many rows.
double
count_measured_nodes(double n_tuples, double m, double ef) {
    const double n_layers = std::floor(std::log(n_tuples) / std::log(m));
    const double growth = std::log(n_tuples) / std::log(200000.0);
    return std::min(n_tuples, n_layers * m + 3.4 * m * std::pow(ef, 2.0 / 3.0) * growth);
}

// Whether a query without LIMIT takes what it gets, also one that a cursor may leave unfinished.
bool
takes_all_rows(const PlannerInfo* root) {
    return root->parent_root == nullptr && root->parse->limitCount == nullptr;
}

// How many of the rows of the path the query takes, if it says. With several tables it says how
// many joined rows.
std::optional<double>
count_taken_rows(PlannerInfo* root, const IndexPath* path) {
    const RelOptInfo* rel = path->path.parent;
    if (bms_num_members(root->all_baserels) != 1)
        return std::nullopt;
    double n_taken = root->limit_tuples;
    if (n_taken < 0 && root->tuple_fraction >= 1)
        n_taken = root->tuple_fraction;
    const bool takes_all = root->tuple_fraction <= 0 && root->parent_root == nullptr;
    if (n_taken < 0)
        return takes_all ? std::optional<double>(path->path.rows) : std::nullopt;
    if (rel->reloptkind == RELOPT_OTHER_MEMBER_REL &&
        bms_num_members(rel->top_parent_relids) == 1) {
        // A partition gives its share.
        const RelOptInfo* whole = find_base_rel(root, bms_singleton_member(rel->top_parent_relids));
        n_taken *= std::min(1.0, path->path.rows / std::max(whole->rows, 1.0));
    }
    return n_taken;
}

// A LIMIT that is not known, since it is a parameter, takes a tenth of the rows by the server's
// guess. Who searches takes few: the share of the guess that is no more than that.
double
share_of_guess(const PlannerInfo* root, const IndexPath* path) {
    const double n_guessed = root->tuple_fraction * path->path.rows;
    if (root->parse->limitCount == nullptr || root->limit_tuples >= 0 ||
        root->tuple_fraction <= 0 || root->tuple_fraction >= 1 || n_guessed <= kGuessedLimit)
        return 1;
    return kGuessedLimit / n_guessed;
}

// The most rows that a scan returns: its first beam, whatever the limits are.
double
count_returned_rows(Relation index, double n_tuples) {
    const auto n_nodes = static_cast<std::size_t>(n_tuples);
    const auto n_visited = static_cast<double>(max_scan_tuples(index, n_nodes));
    const bool is_strict = effective_iterative_scan(index) == kIterativeStrict;
    const double n_bytes = work_mem * 1024.0 * setting_scan_mem_multiplier;
    const double n_most =
        std::min(n_visited, n_bytes / (is_strict ? kBytesOfNodeInOrder : kBytesOfNode));
    return std::min(n_tuples, std::max<double>(n_most, effective_ef_search(index)));
}

// Whether a scan that has to return so many rows may end before.
bool
is_beyond_limits(Relation index, double n_returned, double n_tuples) {
    const double n_most = count_returned_rows(index, n_tuples);
    return n_most < n_tuples && n_returned > kSureShare * n_most;
}

// What the server's cost of a search lacks, exact or not, for each row whose distance is computed:
// reading the vector, which may not stand in its row. It counts on functions to say so, but a
// function costs the same for all vectors, and those of pgvector say nothing.
Cost
distance_cost(double n_bytes, bool is_out_of_line, Cost page_read) {
    const Cost in_line = kReadByte * n_bytes * cpu_operator_cost;
    if (!is_out_of_line)
        return in_line;
    return in_line + (kFetchValue + kFetchByte * n_bytes) * cpu_operator_cost + page_read;
}

// The share of page reads that the cache does not hold, by the pages of all tables of the query.
double
missed_share(const PlannerInfo* root, const IndexPath* path, double n_pages_out_of_line) {
    const double n_pages =
        std::max(root->total_table_pages, 1.0) + n_pages_out_of_line + path->indexinfo->pages;
    return std::max(0.0, 1.0 - effective_cache_size / n_pages);
}

// What the server makes an exact search by reading the table cost.
Cost
exact_cost(const IndexPath* path, double n_taken, double sequential_page_cost) {
    const RelOptInfo* rel = path->path.parent;
    const double n_rows = path->path.rows;
    return rel->pages * sequential_page_cost +
           rel->tuples * (cpu_tuple_cost + rel->baserestrictcost.per_tuple) +
           n_rows * cpu_operator_cost * (2 + 2 * std::log2(std::max(2 * n_taken, 2.0)));
}

// Pages of the table that are read for so many of its rows, in one of `n_loops` scans.
double
count_table_pages(PlannerInfo* root, const IndexPath* path, double n_rows, double n_loops) {
    const IndexOptInfo& info = *path->indexinfo;
    return index_pages_fetched(n_rows * n_loops, info.rel->pages, info.pages, root) / n_loops;
}

Costs
cost_of_walk(PlannerInfo* root, const IndexPath* path, double n_loops, Relation index) {
    const IndexOptInfo& info = *path->indexinfo;
    const double n_tuples = std::max(info.tuples, 2.0);
    const double n_rows = std::clamp(path->path.rows, 1.0, n_tuples);
    const double m = option_m(index);
    const double ef = effective_ef_search(index);
    const std::optional<double> n_taken = count_taken_rows(root, path);
    // Of joined rows at least as many of the index's are needed; without LIMIT all of them.
    const double n_assumed = n_taken.value_or(
        root->tuple_fraction >= 1 ? std::min(root->tuple_fraction, n_rows) : n_rows);
    const double n_returned = std::clamp(n_assumed * n_tuples / n_rows, 1.0, n_tuples);

    double page_cost = 0;
    double sequential_page_cost = 0;
    get_tablespace_page_costs(info.reltablespace, &page_cost, &sequential_page_cost);
    const auto n_bytes = static_cast<double>(value_bytes(index));
    const bool is_out_of_line = n_bytes * info.rel->tuples > double{BLCKSZ} * info.rel->pages;
    const double missed =
        missed_share(root, path, is_out_of_line ? info.rel->tuples * n_bytes / BLCKSZ : 0);
    const Cost measure = kMeasure * cpu_operator_cost + missed * page_cost;
    const Cost refine = kRefine * cpu_operator_cost + missed * 2 * page_cost;
    const Cost distance = distance_cost(n_bytes, is_out_of_line, missed * page_cost);

    // The share that LIMIT takes of all rows' cost is to be what so many rows cost.
    const double n_of_beam = count_measured_nodes(n_tuples, m, ef);
    const double n_beyond =
        std::max(0.0, count_measured_nodes(n_tuples, m, std::max(ef, n_returned)) - n_of_beam);
    const Cost of_server = count_table_pages(root, path, n_tuples, n_loops) * page_cost +
                           n_tuples * (cpu_tuple_cost + info.rel->baserestrictcost.per_tuple);
    const Cost of_table = count_table_pages(root, path, n_returned, n_loops) * page_cost;
    Costs costs = {};
    costs.startup = n_of_beam * measure;
    const Cost run = n_tuples * ((n_beyond * measure + of_table) / n_returned + refine) +
                     n_tuples * (cpu_tuple_cost + info.rel->baserestrictcost.per_tuple) +
                     n_rows * distance;

    // An index scan is cheaper beside an exact search by what the server's cost of that one lacks.
    const Cost exact = exact_cost(path, n_assumed, sequential_page_cost);
    const double share = exact > 0 ? 1 / (1 + n_rows * distance / exact) : 1;
    costs.startup *= share;
    costs.total =
        costs.startup + std::max(run * share * share_of_guess(root, path) - of_server, 0.0);
    const bool is_known = n_taken || takes_all_rows(root);
    const double n_wanted = takes_all_rows(root) ? n_tuples : n_returned;
    if (is_known && is_beyond_limits(index, n_wanted, n_tuples)) {
        costs.startup += kDear;
        costs.total += kDear;
    }
    return costs;
}

// The costs of a scan that ends after its beam are pgvector's.
Costs
cost_of_beam(PlannerInfo* root, IndexPath* path, double loop_count, Relation index) {
    GenericCosts generic = {};
    genericcostestimate(root, path, loop_count, &generic);
    const double n_tuples = path->indexinfo->tuples;
    double ratio = 1;
    if (n_tuples > 0) {
        const double m = option_m(index);
        const double ef = effective_ef_search(index);
        const double entry_layer = std::floor(std::log(n_tuples) / std::log(m));
        const double share = 0.55 * std::log(n_tuples) / (std::log(m) * (1 + std::log(ef)));
        ratio = std::min(1.0, (entry_layer * m + 2 * m * ef * share) / n_tuples);
    }
    Costs costs = {generic.indexTotalCost * ratio, generic.indexTotalCost};
    // A table whose vectors are stored out of line looks small beside its index: no more pages are
    // charged than the table has.
    const double n_pages = generic.numIndexPages * ratio;
    const double n_table_pages = path->indexinfo->rel->pages;
    if (n_pages > n_table_pages && ratio < 0.5) {
        double page_cost = 0;
        double sequential_cost = 0;
        get_tablespace_page_costs(path->indexinfo->reltablespace, &page_cost, &sequential_cost);
        costs.startup -= n_pages * (page_cost - sequential_cost);
        costs.startup -= (n_pages - n_table_pages) * sequential_cost;
    }
    costs.startup = std::max(costs.startup, 0.0);
    costs.total = std::max(costs.total, costs.startup);
    return costs;
}

}  // namespace

// The rows are in order of one distance: a second one would need those that are equally far by the
// first, of which a search finds as many as it happens to keep.
bool
is_usable(const IndexPath* path) {
    if (list_length(path->indexorderbys) != 1 || !may_be_planned(path->indexinfo->indexoid))
        return false;
    const Relation index = index_open(path->indexinfo->indexoid, NoLock);
    const bool is_read = !is_foreign(index);
    if (!is_read)
        warn_of_foreign(index);
    index_close(index, NoLock);
    return is_read;
}

bool
is_hnsw_index(const IndexOptInfo* index) {
    return reinterpret_cast<decltype(&estimate_cost)>(index->amcostestimate) == estimate_cost;
}

void
estimate_cost(PlannerInfo* root, IndexPath* path, double loop_count, Cost* startup, Cost* total,
              Selectivity* selectivity, double* correlation, double* n_pages) {
    *selectivity = 0;
    *correlation = 0;
    *n_pages = 0;
    if (!is_usable(path)) {
        *startup = kUnusable;
        *total = kUnusable;
        pg::mark_unusable(path);
        return;
    }
    const Relation index = index_open(path->indexinfo->indexoid, NoLock);
    const Costs costs = effective_iterative_scan(index) == kIterativeOff
                            ? cost_of_beam(root, path, loop_count, index)
                            : cost_of_walk(root, path, loop_count, index);
    index_close(index, NoLock);
    // Settings of the server may be out of all proportion.
    *startup = std::isfinite(costs.startup) ? costs.startup : kUnusable;
    *total = std::isfinite(costs.total) ? costs.total : kUnusable;
    // Of the table's rows, those that the index holds.
    const double n_rows = std::max(path->indexinfo->rel->tuples, 1.0);
    *selectivity = std::clamp(path->indexinfo->tuples / n_rows, 0.0, 1.0);
    *n_pages = path->indexinfo->pages;
}

}  // namespace vext::hnsw
