#include "tune/query_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "error.h"
#include "input/open.h"
#include "input/vector_field.h"

namespace vext::client {

bool
is_file(const std::string& path) {
    std::error_code error;
    return std::filesystem::is_regular_file(path, error);
}

std::vector<std::string>
read_vector_texts(const std::string& path, int n_dims, std::int64_t n) {
    InputOptions options;
    if (n_dims > 0)
        options.dimension = n_dims;
    const auto input = open_input(path, options);
    const std::size_t column = find_vector_field(*input, "embedding");
    const auto decoder = input->make_decoder();
    VectorReader reader;
    std::vector<std::string> texts;
    for (Piece piece; static_cast<std::int64_t>(texts.size()) < n && input->next(piece);)
        decoder->decode(piece, [&](const Row& row) {
            if (static_cast<std::int64_t>(texts.size()) >= n)
                return;
            std::optional<Problem> problem = row.problem;
            std::span<const float> vector;
            if (!problem && row.fields[column].kind == Field::Kind::kNull)
                return;
            if (!problem) {
                const auto read = reader.read(row.fields[column]);
                vector = read.values;
                problem = read.problem;
            }
            if (!problem)
                problem = judge_vector(vector, static_cast<std::size_t>(std::max(n_dims, 0)));
            if (problem)
                throw InputError(fmt::format("{}: {}", place_of(*input, row), problem->message));
            texts.push_back(vector_to_text(vector));
        });
    return texts;
}

}  // namespace vext::client
