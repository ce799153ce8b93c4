// The merge of two sparse vectors, the table of one, and what is summed over them.

#include "core/distance/sparse.h"

#include <bit>
#include <cmath>

#include "core/distance/dispatch.h"

namespace vext::core {

namespace {

/// What is summed over two vectors: `both` of their values at an index, `one` of a value whose
/// index the other does not have. Neither asks which vector is which.
struct L2Terms {
    static double
    both(double x, double y) {
        return (x - y) * (x - y);
    }
    static double
    one(double x) {
        return x * x;
    }
};

struct L1Terms {
    static double
    both(double x, double y) {
        return std::fabs(x - y);
    }
    static double
    one(double x) {
        return std::fabs(x);
    }
};

struct DotTerms {
    static double
    both(double x, double y) {
        return x * y;
    }
    static double
    one(double) {
        return 0;
    }
};

/// The number, or zero. By its bits: of a choice the compiler makes a branch.
inline float
keep_if(bool is_kept, float x) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & -std::uint32_t{is_kept});
}

/// Four sums, so that additions do not wait for each other.
template <typename Terms>
double
sum_of_one(const float* values, std::size_t n) {
    double sums[4] = {};
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (std::size_t k = 0; k < 4; ++k)
            sums[k] += Terms::one(values[i + k]);
    for (; i < n; ++i)
        sums[0] += Terms::one(values[i]);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// The sum over every index that at least one has. Which index comes next is hard to predict, so
/// that no branch depends on it; but where one vector has many entries for each of the other's,
/// whole blocks of them are passed over. Requires: `a` has no more entries than `b`.
template <typename Terms, bool kByBlocks>
double
merge(const SparseView& a, const SparseView& b) {
    constexpr std::size_t kBlock = 4;
    const std::int32_t* a_indices = a.indices.data();
    const std::int32_t* b_indices = b.indices.data();
    const float* a_values = a.values.data();
    const float* b_values = b.values.data();
    const std::size_t a_size = a.size();
    const std::size_t b_size = b.size();
    double sum = 0;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a_size && j < b_size) {
        const std::int32_t a_index = a_indices[i];
        if constexpr (kByBlocks) {
            const std::size_t start = j;
            while (j + kBlock < b_size && b_indices[j + kBlock - 1] < a_index)
                j += kBlock;
            sum += sum_of_one<Terms>(b_values + start, j - start);
        }
        const std::int32_t b_index = b_indices[j];
        const bool takes_a = a_index <= b_index;
        const bool takes_b = b_index <= a_index;
        sum += Terms::both(keep_if(takes_a, a_values[i]), keep_if(takes_b, b_values[j]));
        i += takes_a;
        j += takes_b;
    }
    return sum + sum_of_one<Terms>(a_values + i, a_size - i) +
           sum_of_one<Terms>(b_values + j, b_size - j);
}

template <typename Terms>
float
sum_of(const SparseView& a, const SparseView& b) {
    constexpr std::size_t kManyTimes = 4;
    if (a.size() > b.size())
        return sum_of<Terms>(b, a);
    const bool by_blocks = b.size() / kManyTimes >= a.size();
    return static_cast<float>(by_blocks ? merge<Terms, true>(a, b) : merge<Terms, false>(a, b));
}

SpreadEntries
entries_of(const SparseView& vector) {
    return {vector.values.data(), vector.indices.data(), vector.size()};
}

/// A damaged index of the other vector may be beyond it.
SpreadTable
table_of(const SpreadVector& vector) {
    return {vector.table, static_cast<std::uint32_t>(vector.vector.n_dims)};
}

/// A distance below this part of the norm is what is left of numbers that cancel each other.
constexpr double kCancelled = 0x1p-20;

}  // namespace

float
sparse_l2_squared(const SparseView& a, const SparseView& b) {
    return sum_of<L2Terms>(a, b);
}

float
sparse_l1(const SparseView& a, const SparseView& b) {
    return sum_of<L1Terms>(a, b);
}

float
sparse_inner_product(const SparseView& a, const SparseView& b) {
    return sum_of<DotTerms>(a, b);
}

CosineParts
sparse_cosine_parts(const SparseView& a, const SparseView& b) {
    return {sparse_inner_product(a, b),
            static_cast<float>(kernels().squared_norm(a.values.data(), a.size())),
            static_cast<float>(kernels().squared_norm(b.values.data(), b.size()))};
}

SpreadVector
spread(const SparseView& vector, float* table) {
    double l1_norm = 0;
    for (std::size_t i = 0; i < vector.size(); ++i) {
        table[vector.indices[i]] = vector.values[i];
        l1_norm += std::fabs(static_cast<double>(vector.values[i]));
    }
    return {vector, table, kernels().squared_norm(vector.values.data(), vector.size()), l1_norm};
}

void
unspread(const SparseView& vector, float* table) {
    for (std::int32_t index : vector.indices)
        table[index] = 0;
}

// What the entries of `a` change of the distance between zero and `b`.
float
sparse_l2_squared(const SparseView& a, const SpreadVector& b) {
    const double sum = b.squared_norm + kernels().spread_squares(entries_of(a), table_of(b));
    if (sum < kCancelled * b.squared_norm)
        return sparse_l2_squared(a, b.vector);
    return static_cast<float>(sum);
}

float
sparse_l1(const SparseView& a, const SpreadVector& b) {
    const double sum = b.l1_norm + kernels().spread_magnitudes(entries_of(a), table_of(b));
    if (sum < kCancelled * b.l1_norm)
        return sparse_l1(a, b.vector);
    return static_cast<float>(sum);
}

float
sparse_inner_product(const SparseView& a, const SpreadVector& b) {
    return static_cast<float>(kernels().spread_products(entries_of(a), table_of(b)));
}

CosineParts
sparse_cosine_parts(const SparseView& a, const SpreadVector& b) {
    return {sparse_inner_product(a, b),
            static_cast<float>(kernels().squared_norm(a.values.data(), a.size())),
            static_cast<float>(b.squared_norm)};
}

}  // namespace vext::core
