// The text of the bit kernels, included once by each kernels_<arch>.cpp that has them, after it has
// defined, in an anonymous namespace of vext::core:
//   Bits                    a word of the CPU level, of kBitBytes bytes, with the operators ^ & |
//   load_bits(p)            kBitBytes bytes
//   load_bits_partial(p, n) 0 < n < kBitBytes bytes, zeros in those beyond
//   BitSum                  a count of set bits: add(bits), merge(other), total()

namespace vext::core {
namespace {

struct HammingSums {
    BitSum different;

    void
    add(Bits x, Bits y) {
        different.add(x ^ y);
    }
    void
    merge(const HammingSums& other) {
        different.merge(other.different);
    }
};

struct JaccardSums {
    BitSum common;
    BitSum either;

    void
    add(Bits x, Bits y) {
        common.add(x & y);
        either.add(x | y);
    }
    void
    merge(const JaccardSums& other) {
        common.merge(other.common);
        either.merge(other.either);
    }
};

template <typename Sums>
inline Sums
fold_bits(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes) {
    Sums even, odd;
    std::size_t i = 0;
    for (; i + 2 * kBitBytes <= n_bytes; i += 2 * kBitBytes) {
        even.add(load_bits(a + i), load_bits(b + i));
        odd.add(load_bits(a + i + kBitBytes), load_bits(b + i + kBitBytes));
    }
    if (i + kBitBytes <= n_bytes) {
        even.add(load_bits(a + i), load_bits(b + i));
        i += kBitBytes;
    }
    if (i < n_bytes)
        odd.add(load_bits_partial(a + i, n_bytes - i), load_bits_partial(b + i, n_bytes - i));
    even.merge(odd);
    return even;
}

std::uint64_t
hamming(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes) {
    return fold_bits<HammingSums>(a, b, n_bytes).different.total();
}

BitParts
jaccard_parts(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes) {
    const JaccardSums sums = fold_bits<JaccardSums>(a, b, n_bytes);
    return {sums.common.total(), sums.either.total()};
}

}  // namespace
}  // namespace vext::core
