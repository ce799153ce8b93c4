// Distances between two sparse vectors (see core/distance/sparse.h): overflow gives infinity, never
// an error.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/distance/sparse.h"
#include "pg/function.h"
#include "types/call_memory.h"
#include "types/sparsevec.h"
#include "types/sparsevec_checks.h"

namespace vext::types {

namespace {

/// The second argument of a call site, such as the query of a search. One that comes twice running
/// is written out in a table, since all that its rows then cost is a look at the table for each of
/// their entries.
class SpreadQuery {
   public:
    /// Null when the row before had another one, or when its dimensions are too many for a table.
    const core::SpreadVector*
    look_up(const SparseArgument& query, MemoryContext context) {
        const std::span<const std::uint8_t> bytes = query.bytes();
        if (query.n_dims() > kMaxDims || bytes.empty())
            return nullptr;
        if (n_dims_ != query.n_dims() || n_bytes_ != bytes.size() ||
            std::memcmp(copy_, bytes.data(), n_bytes_) != 0) {
            keep(query, context);
            return nullptr;
        }
        if (!is_spread_)
            write_out(context);
        return spread_;
    }

   private:
    static constexpr std::int32_t kMaxDims = 1 << 18;  ///< a table of 1 MB

    void keep(const SparseArgument& query, MemoryContext context);
    void write_out(MemoryContext context);

    void* copy_;
    std::size_t copy_size_;
    std::size_t n_bytes_;
    std::int32_t n_dims_;
    std::int32_t table_size_;
    float* table_;  ///< zeros unless a vector is spread
    core::SpreadVector* spread_;
    bool is_spread_;
};

void
SpreadQuery::keep(const SparseArgument& query, MemoryContext context) {
    if (is_spread_)
        core::unspread(spread_->vector, table_);
    is_spread_ = false;
    n_dims_ = query.n_dims();
    n_bytes_ = 0;
    const std::span<const std::uint8_t> bytes = query.bytes();
    if (copy_size_ < bytes.size()) {
        if (copy_ != nullptr)
            pfree(copy_);
        copy_ = nullptr;
        copy_size_ = 0;
        copy_ = MemoryContextAlloc(context, 2 * bytes.size());
        copy_size_ = 2 * bytes.size();
    }
    std::memcpy(copy_, bytes.data(), bytes.size());
    n_bytes_ = bytes.size();
}

void
SpreadQuery::write_out(MemoryContext context) {
    if (spread_ == nullptr)
        spread_ = static_cast<core::SpreadVector*>(MemoryContextAlloc(context, sizeof *spread_));
    if (table_size_ < n_dims_) {
        if (table_ != nullptr)
            pfree(table_);
        table_ = nullptr;
        table_size_ = 0;
        table_ = static_cast<float*>(MemoryContextAllocZero(context, n_dims_ * sizeof(float)));
        table_size_ = n_dims_;
    }
    const core::SparseView vector = view_of(n_dims_, copy_, n_bytes_);
    for (std::int32_t index : vector.indices)
        if (index < 0 || index >= n_dims_)
            SparseArgument::raise_corrupt();
    *spread_ = core::spread(vector, table_);
    is_spread_ = true;
}

struct SparseCallMemory : CallMemory {
    SpreadQuery query;
};

static_assert(std::is_trivial_v<SparseCallMemory>, "made of zeros");

/// Both arguments of a distance function; rows are taken to come in the first.
class Operands {
   public:
    explicit Operands(FunctionCallInfo fcinfo)
        : memory_(call_memory<SparseCallMemory>(fcinfo)),
          a_(argument(fcinfo, 0)),
          b_(argument(fcinfo, 1)),
          spread_b_(nullptr) {
        if (unlikely(a_.n_dims() != b_.n_dims()))
            raise_different_sparse_dims(a_.n_dims(), b_.n_dims());
        if (unlikely(memory_ == nullptr))
            return;
        memory_->rows.pass(a_.bytes());
        spread_b_ = memory_->query.look_up(b_, fcinfo->flinfo->fn_mcxt);
    }

    /// What `function` of the core gives for both.
    template <typename Function>
    auto
    apply(Function function) const {
        return spread_b_ != nullptr ? function(a_.view(), *spread_b_)
                                    : function(a_.view(), b_.view());
    }

   private:
    Datum
    argument(FunctionCallInfo fcinfo, int i) {
        const Datum datum = PG_GETARG_DATUM(i);
        if (unlikely(memory_ == nullptr))
            return datum;
        return memory_->arguments[i].look_up(datum, fcinfo->flinfo->fn_mcxt);
    }

    SparseCallMemory* memory_;
    SparseArgument a_;
    SparseArgument b_;
    const core::SpreadVector* spread_b_;
};

static_assert(std::is_trivially_destructible_v<Operands>);

double
l2_squared_distance(const Operands& operands) {
    return operands.apply(
        [](const auto& a, const auto& b) { return core::sparse_l2_squared(a, b); });
}

double
inner_product(const Operands& operands) {
    return operands.apply(
        [](const auto& a, const auto& b) { return core::sparse_inner_product(a, b); });
}

double
l1_distance(const Operands& operands) {
    return operands.apply([](const auto& a, const auto& b) { return core::sparse_l1(a, b); });
}

// NaN, as from a vector of zeros, passes through the clamp.
double
cosine_distance(const Operands& operands) {
    const core::CosineParts parts = operands.apply(
        [](const auto& a, const auto& b) { return core::sparse_cosine_parts(a, b); });
    const double norms = std::sqrt(static_cast<double>(parts.squared_norm_a) *
                                   static_cast<double>(parts.squared_norm_b));
    return 1.0 - std::clamp(static_cast<double>(parts.dot) / norms, -1.0, 1.0);
}

}  // namespace

VEXT_FUNCTION(sparsevec_l2_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(std::sqrt(l2_squared_distance(operands)));
}

VEXT_FUNCTION(sparsevec_l2_squared_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(l2_squared_distance(operands));
}

VEXT_FUNCTION(sparsevec_inner_product) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(inner_product(operands));
}

VEXT_FUNCTION(sparsevec_negative_inner_product) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(-inner_product(operands));
}

VEXT_FUNCTION(sparsevec_cosine_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(cosine_distance(operands));
}

VEXT_FUNCTION(sparsevec_l1_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(l1_distance(operands));
}

}  // namespace vext::types
