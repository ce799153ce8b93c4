// The kernels in plain C++, for any CPU: what the other tables are tested against.

#include "core/distance/kernels.h"
#include "core/half.h"

namespace vext::core {
namespace {

// Eight sums side by side: they lose less than one does, and the compiler may keep them in a
// vector.
constexpr std::size_t kSums = 8;

template <typename Number>
inline Number
total(const Number (&sums)[kSums]) {
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// The sum of term(i) for i < n.
template <typename Number, typename Term>
inline Number
sum_terms(std::size_t n, Term term) {
    Number sums[kSums] = {};
    std::size_t i = 0;
    for (; i + kSums <= n; i += kSums)
        for (std::size_t k = 0; k < kSums; ++k)
            sums[k] += term(i + k);
    for (; i < n; ++i)
        sums[i % kSums] += term(i);
    return total(sums);
}

float
l2_squared(const float* a, const float* b, std::size_t n) {
    return sum_terms<float>(n, [=](std::size_t i) { return (a[i] - b[i]) * (a[i] - b[i]); });
}

float
inner_product(const float* a, const float* b, std::size_t n) {
    return sum_terms<float>(n, [=](std::size_t i) { return a[i] * b[i]; });
}

float
l1(const float* a, const float* b, std::size_t n) {
    return sum_terms<float>(n, [=](std::size_t i) { return __builtin_fabsf(a[i] - b[i]); });
}

CosineParts
cosine_parts(const float* a, const float* b, std::size_t n) {
    return {inner_product(a, b, n), inner_product(a, a, n), inner_product(b, b, n)};
}

double
squared_norm(const float* a, std::size_t n) {
    return sum_terms<double>(n, [=](std::size_t i) { return static_cast<double>(a[i]) * a[i]; });
}

/// The sum of term(value, number of the table) over the entries of a sparse vector.
template <typename Term>
inline double
sum_spread(const SpreadEntries& entries, const SpreadTable& table, Term term) {
    return sum_terms<double>(entries.n, [&](std::size_t i) {
        const auto place = static_cast<std::uint32_t>(entries.indices[i]);
        const float number = place < table.n ? table.numbers[place] : 0.f;
        return term(static_cast<double>(entries.values[i]), static_cast<double>(number));
    });
}

double
spread_squares(const SpreadEntries& entries, const SpreadTable& table) {
    return sum_spread(entries, table, [](double x, double y) { return x * (x - 2 * y); });
}

double
spread_magnitudes(const SpreadEntries& entries, const SpreadTable& table) {
    return sum_spread(entries, table,
                      [](double x, double y) { return __builtin_fabs(x - y) - __builtin_fabs(y); });
}

double
spread_products(const SpreadEntries& entries, const SpreadTable& table) {
    return sum_spread(entries, table, [](double x, double y) { return x * y; });
}

std::int32_t
dot_code4(const std::uint8_t* code4, const std::int8_t* query, std::size_t n) {
    const std::size_t n_bytes = n / 2;
    return sum_terms<std::int32_t>(n_bytes, [=](std::size_t i) {
        return (code4[i] & 15) * query[i] + (code4[i] >> 4) * query[i + n_bytes];
    });
}

std::int32_t
dot_code8(const std::uint8_t* code8, const std::int8_t* query, std::size_t n) {
    return sum_terms<std::int32_t>(n, [=](std::size_t i) { return code8[i] * query[i]; });
}

float
dot_code4_float(const std::uint8_t* code4, const float* query, std::size_t n) {
    const std::size_t n_bytes = n / 2;
    return sum_terms<float>(n_bytes, [=](std::size_t i) {
        return static_cast<float>(code4[i] & 15) * query[i] +
               static_cast<float>(code4[i] >> 4) * query[i + n_bytes];
    });
}

float
dot_code8_float(const std::uint8_t* code8, const float* query, std::size_t n) {
    return sum_terms<float>(n,
                            [=](std::size_t i) { return static_cast<float>(code8[i]) * query[i]; });
}

float
l1_code8(const std::uint8_t* code8, float low, float step, const float* query, std::size_t n) {
    return sum_terms<float>(n, [=](std::size_t i) {
        return __builtin_fabsf(low + step * static_cast<float>(code8[i]) - query[i]);
    });
}

void
hadamard(float* x, std::size_t n) {
    for (std::size_t stride = 1; stride < n; stride *= 2)
        for (std::size_t block = 0; block < n; block += 2 * stride)
            for (std::size_t i = block; i < block + stride; ++i) {
                const float sum = x[i] + x[i + stride];
                x[i + stride] = x[i] - x[i + stride];
                x[i] = sum;
            }
}

/// Levels of 4 and of 8 bits alike.
void
tile_products(const std::uint8_t* rows, const std::int8_t* columns, std::size_t n,
              std::int32_t* products) {
    for (std::size_t r = 0; r < kTileRows; ++r) {
        std::int32_t sums[kTileColumns] = {};
        for (std::size_t i = 0; i < n; i += 4)
            for (std::size_t c = 0; c < kTileColumns; ++c) {
                const std::uint8_t* row = rows + r * n + i;
                const std::int8_t* column = columns + i * kTileColumns + c * 4;
                sums[c] += row[0] * column[0] + row[1] * column[1] + row[2] * column[2] +
                           row[3] * column[3];
            }
        __builtin_memcpy(products + r * kTileColumns, sums, sizeof(sums));
    }
}

bool
tile_distances(const std::int32_t* products, const TileSide& rows, const TileSide& columns,
               float weight, TilePicks& picks) {
    std::uint32_t any = 0;
    for (std::size_t r = 0; r < kTileRows; ++r) {
        const float scale = weight * rows.factors[r];
        std::uint32_t near_row = 0;
        std::uint32_t near_column = 0;
        for (std::size_t c = 0; c < kTileColumns; ++c) {
            const std::int32_t product =
                2 * products[r * kTileColumns + c] + (rows.biases[r] + columns.biases[c]);
            const float distance = (rows.offsets[r] + columns.offsets[c]) +
                                   scale * columns.factors[c] * static_cast<float>(product);
            picks.distances[r * kTileColumns + c] = distance;
            near_row |= static_cast<std::uint32_t>(distance <= rows.limits[r]) << c;
            near_column |= static_cast<std::uint32_t>(distance <= columns.limits[c]) << c;
        }
        picks.near_rows[r] = near_row;
        picks.near_columns[r] = near_column;
        any |= near_row | near_column;
    }
    return any != 0;
}

void
sort_keys(const std::int64_t* keys, std::size_t n, std::int64_t* sorted) {
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t rank = 0;
        for (std::size_t j = 0; j < n; ++j)
            rank += keys[j] < keys[i];
        sorted[rank] = keys[i];
    }
}

void
widen_halves(const std::uint16_t* halves, std::size_t n, float* out) {
    for (std::size_t i = 0; i < n; ++i)
        out[i] = to_float(Half{halves[i]});
}

/// The sum of term(x, y) over the widened halves, added as by sum_terms(): a block is widened at a
/// time, in a loop that the compiler may do with vectors.
template <typename Number, typename Term>
inline Number
sum_half_terms(const std::uint16_t* a, const std::uint16_t* b, std::size_t n, Term term) {
    constexpr std::size_t kBlock = 32 * kSums;
    Number sums[kSums] = {};
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
        const std::size_t n_here = n - begin < kBlock ? n - begin : kBlock;
        float x[kBlock], y[kBlock];
        widen_halves(a + begin, n_here, x);
        widen_halves(b + begin, n_here, y);
        std::size_t i = 0;
        for (; i + kSums <= n_here; i += kSums)
            for (std::size_t k = 0; k < kSums; ++k)
                sums[k] += term(x[i + k], y[i + k]);
        for (; i < n_here; ++i)
            sums[i % kSums] += term(x[i], y[i]);
    }
    return total(sums);
}

float
half_l2_squared(const std::uint16_t* a, const std::uint16_t* b, std::size_t n) {
    return sum_half_terms<float>(a, b, n, [](float x, float y) { return (x - y) * (x - y); });
}

float
half_inner_product(const std::uint16_t* a, const std::uint16_t* b, std::size_t n) {
    return sum_half_terms<float>(a, b, n, [](float x, float y) { return x * y; });
}

float
half_l1(const std::uint16_t* a, const std::uint16_t* b, std::size_t n) {
    return sum_half_terms<float>(a, b, n, [](float x, float y) { return __builtin_fabsf(x - y); });
}

CosineParts
half_cosine_parts(const std::uint16_t* a, const std::uint16_t* b, std::size_t n) {
    return {half_inner_product(a, b, n), half_inner_product(a, a, n), half_inner_product(b, b, n)};
}

double
half_squared_norm(const std::uint16_t* a, std::size_t n) {
    return sum_half_terms<double>(a, a, n,
                                  [](float x, float y) { return static_cast<double>(x) * y; });
}

void
narrow_to_halves(const float* x, std::size_t n, std::uint16_t* out) {
    for (std::size_t i = 0; i < n; ++i)
        out[i] = to_half(x[i]).bits;
}

using Bits = std::uint64_t;
constexpr std::size_t kBitBytes = sizeof(Bits);

inline Bits
load_bits(const std::uint8_t* p) {
    Bits bits;
    __builtin_memcpy(&bits, p, sizeof(bits));
    return bits;
}

inline Bits
load_bits_partial(const std::uint8_t* p, std::size_t n) {
    Bits bits = 0;
    for (std::size_t i = 0; i < n; ++i)
        bits |= static_cast<Bits>(p[i]) << (8 * i);
    return bits;
}

inline Bits
splat_bits(std::uint64_t word) {
    return word;
}

/// Counts in pairs of bits, then in nibbles, then in bytes.
struct BitSum {
    std::uint64_t n = 0;

    void
    add(Bits x) {
        constexpr Bits kPairs = 0x5555555555555555;
        constexpr Bits kNibbles = 0x3333333333333333;
        constexpr Bits kBytes = 0x0f0f0f0f0f0f0f0f;
        x -= (x >> 1) & kPairs;
        x = (x & kNibbles) + ((x >> 2) & kNibbles);
        n += (((x + (x >> 4)) & kBytes) * 0x0101010101010101) >> 56;
    }
    void
    merge(const BitSum& other) {
        n += other.n;
    }
    std::uint64_t
    total() const {
        return n;
    }
    void
    store(std::int32_t* out) const {
        *out = static_cast<std::int32_t>(n);
    }
};

}  // namespace
}  // namespace vext::core

#include "core/distance/bits.inl"

namespace vext::core {

constinit const Kernels kernels_scalar = {
    "scalar",        l2_squared,        inner_product,   l1,
    cosine_parts,    squared_norm,      dot_code4,       dot_code8,
    dot_code4_float, dot_code8_float,   l1_code8,        hadamard,
    tile_products,   tile_products,     tile_distances,  sort_keys,
    spread_squares,  spread_magnitudes, spread_products,
};

constinit const HalfKernels half_kernels_scalar = {
    "scalar",          half_l2_squared,   half_inner_product, half_l1,
    half_cosine_parts, half_squared_norm, widen_halves,       narrow_to_halves,
};

constinit const BitKernels bit_kernels_scalar = {"scalar", hamming, jaccard_parts, tile_common};

}  // namespace vext::core
