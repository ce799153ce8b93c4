// The text of the vector kernels, included once by each kernels_<arch>.cpp after it has defined, in
// an anonymous namespace of vext::core, what xsimd has no word for:
//   Arch, Floats, Doubles, Ints  the xsimd architecture and its batches; kLanes is Floats::size
//   load_doubles(p)              kLanes / 2 floats, widened
//   load_codes(p)                kLanes bytes, widened
//   load_partial(p, n)           0 < n < kLanes floats, zeros in the lanes beyond
//   load_codes_partial(p, n)     0 < n < kLanes bytes, likewise
//   sum_lanes(x)                 the horizontal sum of Floats or Doubles
//   swap_lanes<kStride>(x)       each lane of x exchanged with the one whose index is ^ kStride
// Everything here is local to the file that includes it: the linker must never choose the code of
// one CPU level for another.

namespace vext::core {
namespace {

// A row is what a kernel reads: `whole(i)` gives the kLanes dimensions from i on, `partial(i, n)`
// gives 0 < n < kLanes of them and zeros beyond, which add nothing to any sum.

struct FloatRow {
    const float* x;

    Floats
    whole(std::size_t i) const {
        return Floats::load_unaligned(x + i);
    }
    Floats
    partial(std::size_t i, std::size_t n) const {
        return load_partial(x + i, n);
    }
};

template <typename Batch>
struct Pair {
    Batch first;
    Batch second;
};

/// Floats widened to double.
struct WideRow {
    const float* x;

    Pair<Doubles>
    whole(std::size_t i) const {
        return {load_doubles(x + i), load_doubles(x + i + kLanes / 2)};
    }
    Pair<Doubles>
    partial(std::size_t i, std::size_t n) const {
        float rest[kLanes];
        load_partial(x + i, n).store_unaligned(rest);
        return WideRow{rest}.whole(0);
    }
};

struct CodeRow {
    const std::uint8_t* codes;

    Ints
    whole(std::size_t i) const {
        return load_codes(codes + i);
    }
    Ints
    partial(std::size_t i, std::size_t n) const {
        return load_codes_partial(codes + i, n);
    }
};

/// The values low + step * code.
struct ScaledCodeRow {
    CodeRow codes;
    float low;
    float step;

    Floats
    whole(std::size_t i) const {
        return xsimd::fma(Floats(step), xsimd::to_float(codes.whole(i)), Floats(low));
    }
    Floats
    partial(std::size_t i, std::size_t n) const {
        float lows[kLanes];
        Floats(low).store_unaligned(lows);
        return xsimd::fma(Floats(step), xsimd::to_float(codes.partial(i, n)),
                          load_partial(lows, n));
    }
};

/// Both halves of a query, as a code4 pairs them.
struct HalvesRow {
    FloatRow low;
    FloatRow high;

    Pair<Floats>
    whole(std::size_t i) const {
        return {low.whole(i), high.whole(i)};
    }
    Pair<Floats>
    partial(std::size_t i, std::size_t n) const {
        return {low.partial(i, n), high.partial(i, n)};
    }
};

template <typename Batch>
struct Sum {
    Batch lanes = Batch(0);

    void
    merge(const Sum& other) {
        lanes += other.lanes;
    }
    auto
    total() const {
        return sum_lanes(lanes);
    }
};

struct L2Sum : Sum<Floats> {
    void
    add(const Floats& x, const Floats& y) {
        const Floats difference = x - y;
        lanes = xsimd::fma(difference, difference, lanes);
    }
};

struct DotSum : Sum<Floats> {
    void
    add(const Floats& x, const Floats& y) {
        lanes = xsimd::fma(x, y, lanes);
    }
    void
    add(const Ints& codes, const Floats& x) {
        add(xsimd::to_float(codes), x);
    }
};

struct L1Sum : Sum<Floats> {
    void
    add(const Floats& x, const Floats& y) {
        lanes += xsimd::abs(x - y);
    }
};

struct CosineSums {
    DotSum dot;
    DotSum squared_norm_a;
    DotSum squared_norm_b;

    void
    add(const Floats& x, const Floats& y) {
        dot.add(x, y);
        squared_norm_a.add(x, x);
        squared_norm_b.add(y, y);
    }
    void
    merge(const CosineSums& other) {
        dot.merge(other.dot);
        squared_norm_a.merge(other.squared_norm_a);
        squared_norm_b.merge(other.squared_norm_b);
    }
};

/// Two sums, so that the halves of a pair do not wait for each other.
template <typename Batch>
struct PairSum {
    Batch first = Batch(0);
    Batch second = Batch(0);

    void
    merge(const PairSum& other) {
        first += other.first;
        second += other.second;
    }
    auto
    total() const {
        return sum_lanes(first + second);
    }
};

struct SquareSum : PairSum<Doubles> {
    void
    add(const Pair<Doubles>& x) {
        first = xsimd::fma(x.first, x.first, first);
        second = xsimd::fma(x.second, x.second, second);
    }
};

struct Code4Sum : PairSum<Floats> {
    void
    add(const Ints& codes, const Pair<Floats>& query) {
        first = xsimd::fma(xsimd::to_float(codes & Ints(15)), query.first, first);
        second = xsimd::fma(xsimd::to_float(codes >> 4), query.second, second);
    }
};

/// Adds all n dimensions of the rows into `Sums`: four accumulators, so that the loads, not the
/// latency of an addition, set the pace.
template <typename Sums, typename... Rows>
inline Sums
fold(std::size_t n, const Rows&... rows) {
    Sums sum0, sum1, sum2, sum3;
    std::size_t i = 0;
    for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
        sum0.add(rows.whole(i)...);
        sum1.add(rows.whole(i + kLanes)...);
        sum2.add(rows.whole(i + 2 * kLanes)...);
        sum3.add(rows.whole(i + 3 * kLanes)...);
    }
    if (i < n) [[unlikely]] {  // most vectors in use fill whole rounds
        for (; i + kLanes <= n; i += kLanes)
            sum0.add(rows.whole(i)...);
        if (i < n)
            sum1.add(rows.partial(i, n - i)...);
    }
    sum0.merge(sum1);
    sum2.merge(sum3);
    sum0.merge(sum2);
    return sum0;
}

float
l2_squared(const float* a, const float* b, std::size_t n) {
    return fold<L2Sum>(n, FloatRow{a}, FloatRow{b}).total();
}

float
inner_product(const float* a, const float* b, std::size_t n) {
    return fold<DotSum>(n, FloatRow{a}, FloatRow{b}).total();
}

float
l1(const float* a, const float* b, std::size_t n) {
    return fold<L1Sum>(n, FloatRow{a}, FloatRow{b}).total();
}

CosineParts
cosine_parts(const float* a, const float* b, std::size_t n) {
    const CosineSums sums = fold<CosineSums>(n, FloatRow{a}, FloatRow{b});
    return {sums.dot.total(), sums.squared_norm_a.total(), sums.squared_norm_b.total()};
}

double
squared_norm(const float* a, std::size_t n) {
    return fold<SquareSum>(n, WideRow{a}).total();
}

float
dot_code4_float(const std::uint8_t* code4, const float* query, std::size_t n) {
    const std::size_t n_bytes = n / 2;
    return fold<Code4Sum>(n_bytes, CodeRow{code4}, HalvesRow{{query}, {query + n_bytes}}).total();
}

float
dot_code8_float(const std::uint8_t* code8, const float* query, std::size_t n) {
    return fold<DotSum>(n, CodeRow{code8}, FloatRow{query}).total();
}

float
l1_code8(const std::uint8_t* code8, float low, float step, const float* query, std::size_t n) {
    return fold<L1Sum>(n, ScaledCodeRow{{code8}, low, step}, FloatRow{query}).total();
}

/// One step of the transform inside a batch: lane j becomes x[j] + x[j ^ kStride] where bit kStride
/// of j is clear, x[j ^ kStride] - x[j] where it is set.
template <std::size_t kStride>
inline Floats
butterfly_lanes(const Floats& x) {
    if constexpr (kStride < kLanes) {
        float signs[kLanes];
        for (std::size_t lane = 0; lane < kLanes; ++lane)
            signs[lane] = lane & kStride ? -1.f : 1.f;
        return xsimd::fma(x, Floats::load_unaligned(signs), swap_lanes<kStride>(x));
    } else {
        return x;
    }
}

/// Two steps, of `stride` and 2 * `stride`, over n floats. Requires: kLanes divides stride and
/// 4 * stride divides n.
inline void
hadamard_radix4(float* x, std::size_t n, std::size_t stride) {
    for (std::size_t block = 0; block < n; block += 4 * stride)
        for (float* p = x + block; p < x + block + stride; p += kLanes) {
            const Floats x0 = Floats::load_unaligned(p);
            const Floats x1 = Floats::load_unaligned(p + stride);
            const Floats x2 = Floats::load_unaligned(p + 2 * stride);
            const Floats x3 = Floats::load_unaligned(p + 3 * stride);
            const Floats sum01 = x0 + x1, difference01 = x0 - x1;
            const Floats sum23 = x2 + x3, difference23 = x2 - x3;
            (sum01 + sum23).store_unaligned(p);
            (difference01 + difference23).store_unaligned(p + stride);
            (sum01 - sum23).store_unaligned(p + 2 * stride);
            (difference01 - difference23).store_unaligned(p + 3 * stride);
        }
}

inline void
hadamard_radix2(float* x, std::size_t n, std::size_t stride) {
    for (std::size_t block = 0; block < n; block += 2 * stride)
        for (std::size_t i = block; i < block + stride; ++i) {
            const float sum = x[i] + x[i + stride];
            x[i + stride] = x[i] - x[i + stride];
            x[i] = sum;
        }
}

void
hadamard(float* x, std::size_t n) {
    std::size_t stride = 1;
    if (n >= kLanes) {
        for (float* p = x; p < x + n; p += kLanes) {
            Floats lanes = Floats::load_unaligned(p);
            lanes = butterfly_lanes<1>(lanes);
            lanes = butterfly_lanes<2>(lanes);
            lanes = butterfly_lanes<4>(lanes);
            lanes = butterfly_lanes<8>(lanes);
            lanes.store_unaligned(p);
        }
        for (stride = kLanes; 4 * stride <= n; stride *= 4)
            hadamard_radix4(x, n, stride);
    }
    for (; stride < n; stride *= 2)
        hadamard_radix2(x, n, stride);
}

}  // namespace
}  // namespace vext::core
