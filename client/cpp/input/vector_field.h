// Vectors as text: as the server writes them, as JSON arrays, as PostgreSQL arrays.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "input/input.h"

namespace vext::client {

class VectorReader {
   public:
    VectorReader() : values_(kMaxDims) {}

    /// The numbers of `[1,2.5]` or `{1,2.5}`, or why there are none. Valid until the next call.
    struct Outcome {
        std::span<const float> values;
        std::optional<Problem> problem;
    };
    Outcome read(std::string_view text);
    /// Of any field that may hold a vector.
    Outcome read(const Field& field);

   private:
    std::vector<float> values_;
    std::string bracketed_;
};

/// Why `values` cannot be stored, if they cannot: not finite, or of other dimensions than `n_dims`
/// (0: any).
std::optional<Problem> judge_vector(std::span<const float> values, std::size_t n_dims);

/// Notes about a column what its value in the first row tells, in a row at `place`.
void look_for_vector(const Field& field, const std::string& place, SourceColumn& column);

/// The field of that name, else the first that has vectors; InputError where none has.
std::size_t find_vector_field(const Input& input, const std::string& name);

/// As the server writes it.
std::string vector_to_text(std::span<const float> values);

}  // namespace vext::client
