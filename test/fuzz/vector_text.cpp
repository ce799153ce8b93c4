// Any text, as float32 and as halves: parse_vector equals the strtof model, and what it accepts is
// finite and survives printing and parsing bit by bit.

#include "core/text/vector_text.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "../support/strtof_model.h"

namespace {

using namespace vext;

constexpr std::size_t kMaxDims = 64;  // small: inputs reach the limit

void
require(bool condition) {
    if (!condition)
        __builtin_trap();
}

template <typename Number>
bool
have_same_bits(const std::vector<Number>& a, const std::vector<Number>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Number)) == 0;
}

template <typename Number>
void
check(const std::vector<char>& text, float limit) {
    std::vector<Number> values(kMaxDims);
    const core::ParsedVector parsed =
        core::parse_vector({text.data(), text.size()}, std::span<Number>(values));

    const test::ModelVector model =
        test::parse_with_strtof(std::string(text.begin(), text.end()), kMaxDims, limit);
    require(parsed.error == model.error);
    require(parsed.number == model.number);
    if (parsed.error != core::TextError::kNone)
        return;

    values.resize(parsed.n_dims);
    std::vector<Number> expected;
    for (float value : model.values)
        expected.push_back(core::round_to<Number>(value));
    require(have_same_bits(values, expected));
    for (Number value : values)
        require(core::is_finite(value));

    std::vector<char> printed(core::printed_size_limit(values.size()));
    printed.resize(core::print_vector(std::span<const Number>(values), printed));
    printed.shrink_to_fit();
    std::vector<Number> again(values.size());
    const core::ParsedVector reparsed =
        core::parse_vector({printed.data(), printed.size()}, std::span<Number>(again));
    require(reparsed.error == core::TextError::kNone && reparsed.n_dims == values.size());
    require(have_same_bits(values, again));
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> text(data, data + size);
    check<float>(text, test::kFloatLimit);
    check<core::Half>(text, test::kHalfLimit);
    return 0;
}
