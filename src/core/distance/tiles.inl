// The text of tile_distances, included once by each kernels_<arch>.cpp with xsimd, which has
// defined what kernels.inl needs and compare_lanes(x, y), one bit a lane for x <= y.

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

}  // namespace
}  // namespace vext::core
