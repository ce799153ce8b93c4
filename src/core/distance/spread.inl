// The text of the kernels over a vector that is spread out in a table, included once by each
// kernels_<arch>.cpp behind kernels.inl, after it has defined, in an anonymous namespace of
// vext::core:
//   gather_doubles(table, n_numbers, indices)
// Doubles::size numbers of the table, widened; zeros at indices that are not below n_numbers, which
// is not 0.

namespace vext::core {
namespace {

/// The sum of term(value, number) over the entries of a vector. Of two parts, so that additions do
/// not wait for each other. Requires: term(0, 0) is 0.
template <typename Term>
double
sum_spread(const SpreadEntries& entries, const SpreadTable& table, Term term) {
    constexpr std::size_t kStep = Doubles::size;
    const auto terms_at = [&](const float* values, const std::int32_t* indices) {
        return term(load_doubles(values), gather_doubles(table.numbers, table.n, indices));
    };
    Doubles first(0.0);
    Doubles second(0.0);
    std::size_t i = 0;
    for (; i + 2 * kStep <= entries.n; i += 2 * kStep) {
        first += terms_at(entries.values + i, entries.indices + i);
        second += terms_at(entries.values + i + kStep, entries.indices + i + kStep);
    }
    for (; i < entries.n; i += kStep) {
        float values[kStep] = {};
        std::int32_t indices[kStep];
        for (std::size_t k = 0; k < kStep; ++k) {
            indices[k] = -1;
            if (i + k < entries.n) {
                values[k] = entries.values[i + k];
                indices[k] = entries.indices[i + k];
            }
        }
        first += terms_at(values, indices);
    }
    return sum_lanes(Doubles(first + second));
}

double
spread_squares(const SpreadEntries& entries, const SpreadTable& table) {
    return sum_spread(entries, table, [](const Doubles& x, const Doubles& y) {
        return Doubles(x * (x - (y + y)));
    });
}

double
spread_magnitudes(const SpreadEntries& entries, const SpreadTable& table) {
    return sum_spread(entries, table, [](const Doubles& x, const Doubles& y) {
        return Doubles(xsimd::abs(x - y) - xsimd::abs(y));
    });
}

double
spread_products(const SpreadEntries& entries, const SpreadTable& table) {
    return sum_spread(entries, table,
                      [](const Doubles& x, const Doubles& y) { return Doubles(x * y); });
}

}  // namespace
}  // namespace vext::core
