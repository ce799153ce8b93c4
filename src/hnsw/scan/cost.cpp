// See cost.h.
//
// A search has measured nearly all of its nodes before it returns the first row. Their number was
// measured as 640, 1,020 and 1,610 of 200,000 vectors at ef_search 40, 80 and 160 with m 16: that
// is 3.4 m ef^(2/3); it grows with the logarithm of the index. Walking on to every row costs as
// much as reading the whole index, so that a query without LIMIT still prefers to sort.

#include "hnsw/scan/cost.h"

#include <algorithm>
#include <cmath>

#include "hnsw/options.h"
#include "hnsw/pages/foreign.h"
#include "pg/compat.h"

namespace vext::hnsw {

namespace {

// The cost of a path that is taken away before the planner chooses (plan_hooks.cpp): beyond any
// other, so that no other gives way to it until then, and finite, since infinity soon makes a NaN.
constexpr Cost kUnusable = 1e30;

double
count_measured_nodes(double n_tuples, double m, double ef) {
    const double layers = std::floor(std::log(n_tuples) / std::log(m));
    const double growth = std::log(n_tuples) / std::log(200000.0);
    return std::min(n_tuples, layers * m + 3.4 * m * std::pow(ef, 2.0 / 3.0) * growth);
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
    GenericCosts costs = {};
    genericcostestimate(root, path, loop_count, &costs);

    const Relation index = index_open(path->indexinfo->indexoid, NoLock);
    const double m = option_m(index);
    const double ef = effective_ef_search(index);
    index_close(index, NoLock);

    const double n_tuples = std::max(path->indexinfo->tuples, 2.0);
    const double ratio = count_measured_nodes(n_tuples, m, ef) / n_tuples;
    double startup_cost = costs.indexTotalCost * ratio;

    // A table whose vectors are stored out of line looks small beside its index, though reading
    // them costs as much: no more pages are charged than the table has.
    const double startup_pages = costs.numIndexPages * ratio;
    if (startup_pages > path->indexinfo->rel->pages && ratio < 0.5) {
        double page_cost = 0;
        double sequential_cost = 0;
        get_tablespace_page_costs(path->indexinfo->reltablespace, &page_cost, &sequential_cost);
        startup_cost -= startup_pages * (page_cost - sequential_cost);
        startup_cost -= (startup_pages - path->indexinfo->rel->pages) * sequential_cost;
    }
    *startup = std::max(startup_cost, 0.0);
    *total = std::max(costs.indexTotalCost, *startup);
    *selectivity = costs.indexSelectivity;
    *correlation = costs.indexCorrelation;
    *n_pages = costs.numIndexPages;
}

}  // namespace vext::hnsw
