// The text of the bit kernels, included once by each kernels_<arch>.cpp that has them, after it has
// defined, in an anonymous namespace of vext::core:
//   Bits                    a word of the CPU level, of kBitBytes bytes, with the operators ^ & |
//   load_bits(p)            kBitBytes bytes
//   load_bits_partial(p, n) 0 < n < kBitBytes bytes, zeros in those beyond
//   splat_bits(word)        a word of 64 bits, over and over
//   BitSum                  a count of set bits: add(bits), merge(other), total(), and store(out),
//                           the counts of each 64 bits as std::int32_t

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

/// Four rows at a time meet as many columns as a word of the CPU level holds.
void
tile_common(const std::uint64_t* rows, const std::uint64_t* columns, std::size_t n_words,
            std::int32_t* counts) {
    constexpr std::size_t kRows = 4;
    constexpr std::size_t kColumns = kBitBytes / sizeof(std::uint64_t);
    static_assert(kTileRows % kRows == 0 && kTileColumns % kColumns == 0);
    for (std::size_t row = 0; row < kTileRows; row += kRows)
        for (std::size_t column = 0; column < kTileColumns; column += kColumns) {
            BitSum sums[kRows];
            for (std::size_t i = 0; i < n_words; ++i) {
                const Bits words = load_bits(
                    reinterpret_cast<const std::uint8_t*>(columns + i * kTileColumns + column));
#pragma GCC unroll 4
                for (std::size_t r = 0; r < kRows; ++r)
                    sums[r].add(words & splat_bits(rows[(row + r) * n_words + i]));
            }
            for (std::size_t r = 0; r < kRows; ++r)
                sums[r].store(counts + (row + r) * kTileColumns + column);
        }
}

}  // namespace
}  // namespace vext::core
