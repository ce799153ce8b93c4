// The kernels of half-precision numbers, included by each kernels_<arch>.cpp of a CPU with vector
// instructions, after kernels.inl and after it has defined, in an anonymous namespace of
// vext::core:
//   load_halves(p)              kLanes halves, widened to Floats
//   load_halves_partial(p, n)   0 < n < kLanes halves, likewise, zeros in the lanes beyond
//   store_halves(p, x)          kLanes Floats, rounded to the nearest halves, of two to the even
//   one
// Widened, the sums are those of float32 and add in the same order: the distance of two rows of
// halves is, to the last bit, that of their float32 copies.

namespace vext::core {
namespace {

struct HalfRow {
    const std::uint16_t* x;

    Floats
    whole(std::size_t i) const {
        return load_halves(x + i);
    }
    Floats
    partial(std::size_t i, std::size_t n) const {
        return load_halves_partial(x + i, n);
    }
};

/// Halves widened to double.
struct WideHalfRow {
    HalfRow halves;

    Pair<Doubles>
    whole(std::size_t i) const {
        return widen(halves.whole(i));
    }
    Pair<Doubles>
    partial(std::size_t i, std::size_t n) const {
        return widen(halves.partial(i, n));
    }

   private:
    static Pair<Doubles>
    widen(const Floats& x) {
        float lanes[kLanes];
        x.store_unaligned(lanes);
        return WideRow{lanes}.whole(0);
    }
};

float
half_l2_squared(const std::uint16_t* a, const std::uint16_t* b, std::size_t n) {
    return fold<L2Sum>(n, HalfRow{a}, HalfRow{b}).total();
}

float
half_inner_product(const std::uint16_t* a, const std::uint16_t* b, std::size_t n) {
    return fold<DotSum>(n, HalfRow{a}, HalfRow{b}).total();
}

float
half_l1(const std::uint16_t* a, const std::uint16_t* b, std::size_t n) {
    return fold<L1Sum>(n, HalfRow{a}, HalfRow{b}).total();
}

CosineParts
half_cosine_parts(const std::uint16_t* a, const std::uint16_t* b, std::size_t n) {
    const CosineSums sums = fold<CosineSums>(n, HalfRow{a}, HalfRow{b});
    return {sums.dot.total(), sums.squared_norm_a.total(), sums.squared_norm_b.total()};
}

double
half_squared_norm(const std::uint16_t* a, std::size_t n) {
    return fold<SquareSum>(n, WideHalfRow{{a}}).total();
}

void
widen_halves(const std::uint16_t* halves, std::size_t n, float* out) {
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        load_halves(halves + i).store_unaligned(out + i);
    if (i == n)
        return;
    float lanes[kLanes];
    load_halves_partial(halves + i, n - i).store_unaligned(lanes);
    for (std::size_t k = 0; i + k < n; ++k)
        out[i + k] = lanes[k];
}

void
narrow_to_halves(const float* x, std::size_t n, std::uint16_t* out) {
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        store_halves(out + i, Floats::load_unaligned(x + i));
    if (i == n)
        return;
    std::uint16_t lanes[kLanes];
    store_halves(lanes, load_partial(x + i, n - i));
    for (std::size_t k = 0; i + k < n; ++k)
        out[i + k] = lanes[k];
}

}  // namespace
}  // namespace vext::core
