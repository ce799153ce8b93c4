// Any text: parse_vector equals the strtof model, and what it accepts is finite and survives
// printing and parsing bit by bit.

#include "core/text/vector_text.h"

#include <cmath>
#include <cstdint>
#include <cstring>
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

bool
have_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> text(data, data + size);
    std::vector<float> values(kMaxDims);
    const core::ParsedVector parsed = core::parse_vector({text.data(), text.size()}, values);

    const test::ModelVector model =
        test::parse_with_strtof(std::string(text.begin(), text.end()), kMaxDims);
    require(parsed.error == model.error);
    require(parsed.number == model.number);
    if (parsed.error != core::TextError::kNone)
        return 0;

    values.resize(parsed.n_dims);
    require(have_same_bits(values, model.values));
    for (float value : values)
        require(std::isfinite(value));

    std::vector<char> printed(core::printed_size_limit(values.size()));
    printed.resize(core::print_vector(values, printed));
    printed.shrink_to_fit();
    std::vector<float> again(values.size());
    const core::ParsedVector reparsed = core::parse_vector({printed.data(), printed.size()}, again);
    require(reparsed.error == core::TextError::kNone && reparsed.n_dims == values.size());
    require(have_same_bits(values, again));
    return 0;
}
