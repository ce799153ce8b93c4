// The text of tile_distances and sort_keys, included once by each kernels_<arch>.cpp with xsimd,
// which has defined what kernels.inl needs and compare_lanes(x, y), one bit a lane for x <= y.

namespace vext::core {
namespace {

bool
tile_distances(const std::int32_t* products, const TileSide& rows, const TileSide& columns,
               float weight, TilePicks& picks) {
    for (std::size_t r = 0; r < kTileRows; ++r)
        picks.near_rows[r] = picks.near_columns[r] = 0;
    std::uint32_t any = 0;
    for (std::size_t c = 0; c < kTileColumns; c += kLanes) {
        const Floats factors = Floats::load_unaligned(columns.factors + c);
        const Floats offsets = Floats::load_unaligned(columns.offsets + c);
        const Floats limits = Floats::load_unaligned(columns.limits + c);
        const Ints biases = Ints::load_unaligned(columns.biases + c);
        for (std::size_t r = 0; r < kTileRows; ++r) {
            const Ints half = Ints::load_unaligned(products + r * kTileColumns + c);
            const Floats product = xsimd::to_float(half + half + (Ints(rows.biases[r]) + biases));
            const Floats scale = Floats(weight * rows.factors[r]) * factors;
            const Floats distances = xsimd::fma(scale, product, Floats(rows.offsets[r]) + offsets);
            distances.store_unaligned(picks.distances + r * kTileColumns + c);
            const std::uint32_t near_row = compare_lanes(distances, Floats(rows.limits[r])) << c;
            const std::uint32_t near_column = compare_lanes(distances, limits) << c;
            picks.near_rows[r] |= near_row;
            picks.near_columns[r] |= near_column;
            any |= near_row | near_column;
        }
    }
    return any != 0;
}

using Keys [[gnu::vector_size(sizeof(Floats))]] = std::int64_t;

/// Counts for every key how many are smaller, kKeyLanes of them at a time.
void
sort_keys(const std::int64_t* keys, std::size_t n, std::int64_t* sorted) {
    constexpr std::size_t kPerVector = sizeof(Keys) / sizeof(std::int64_t);
    constexpr std::size_t kVectors = kKeyLanes / kPerVector;
    const Keys one = Keys{} + 1;
    for (std::size_t i = 0; i < n; i += kKeyLanes) {
        Keys own[kVectors];
        Keys ranks[kVectors] = {};
        __builtin_memcpy(own, keys + i, sizeof(own));
#pragma GCC unroll 4
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t v = 0; v < kVectors; ++v)
                ranks[v] = (Keys{} + keys[j]) < own[v] ? ranks[v] + one : ranks[v];
        std::int64_t places[kKeyLanes];
        __builtin_memcpy(places, ranks, sizeof(places));
        for (std::size_t lane = 0; lane < kKeyLanes; ++lane)
            sorted[places[lane]] = keys[i + lane];
    }
}

}  // namespace
}  // namespace vext::core
