#include "convert/convert.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "convert/writers.h"
#include "error.h"
#include "input/format.h"
#include "input/open.h"
#include "input/vector_field.h"
#include "server/interrupt.h"

namespace vext::client {

namespace {

struct Fields {
    std::size_t vector = 0;
    std::optional<std::size_t> id;
};

Fields
choose_fields(const Input& input, const ConvertOptions& options) {
    std::optional<std::size_t> vector;
    Fields fields;
    for (std::size_t i = 0; i < input.columns().size(); ++i) {
        const SourceColumn& column = input.columns()[i];
        if (!options.column.empty() ? column.name == options.column
                                    : !vector && (column.n_dims > 0 || column.name == "embedding"))
            vector = i;
        else if (column.name == (options.id_column.empty() ? "id" : options.id_column))
            fields.id = i;
    }
    // Binary data names nothing: an id and a vector, or a vector alone.
    if (!vector && !input.columns().empty() &&
        input.columns().front().kind == Field::Kind::kBinary && input.columns().size() <= 2) {
        vector = input.columns().size() - 1;
        if (*vector == 1)
            fields.id = 0;
    }
    if (!vector && input.columns().empty())
        return fields;  // no rows
    if (!vector)
        throw UsageError(fmt::format("{}: no field has vectors", input.name()),
                         "--column names the field");
    if (!options.id_column.empty() && !fields.id)
        throw UsageError(
            fmt::format("{}: there is no field \"{}\"", input.name(), options.id_column));
    fields.vector = *vector;
    return fields;
}

std::int64_t
read_id(const Field& field, const std::string& place) {
    if (field.kind == Field::Kind::kInteger)
        return field.integer;
    std::int64_t id = 0;
    if (field.kind == Field::Kind::kBinary && field.text.size() == 8) {
        for (const char c : field.text)
            id = static_cast<std::int64_t>(static_cast<std::uint64_t>(id) << 8 |
                                           static_cast<unsigned char>(c));
        return id;
    }
    const auto [end, error] =
        std::from_chars(field.text.data(), field.text.data() + field.text.size(), id);
    if (field.text.empty() || error != std::errc() || end != field.text.data() + field.text.size())
        throw InputError(fmt::format("{}: expected a whole number as id, found \"{}\"", place,
                                     field.text.substr(0, 40)));
    return id;
}

class Converter {
   public:
    Converter(Input& input, VectorWriter& writer, OutputFile& output, const ConvertOptions& options)
        : input_(input), writer_(writer), output_(output), options_(options) {}

    std::uint64_t
    run(Progress& progress) {
        if (input_.n_dims())
            begin(*input_.n_dims());
        const Fields fields = choose_fields(input_, options_);
        const std::unique_ptr<RowDecoder> decoder = input_.make_decoder();
        progress.begin("converting", input_.n_stored(), "bytes");
        Piece piece;
        while (input_.next(piece)) {
            check_interrupt();
            decoder->decode(piece, [&](const Row& row) { take(row, fields); });
            output_.write(buffer_);
            buffer_.clear();
            progress.set(input_.n_stored_read());
        }
        end();
        progress.set(input_.n_stored_read());
        progress.end();
        return n_rows_;
    }

    std::size_t
    n_dims() const {
        return n_dims_;
    }

   private:
    void
    begin(std::size_t n_dims) {
        n_dims_ = n_dims;
        if (writer_.has_count() && !input_.n_rows() && !output_.is_seekable())
            throw UsageError(
                "the header has the number of rows, which the input does not tell: write to a "
                "file, not to standard output");
        writer_.set_count(input_.n_rows().value_or(0));
        writer_.begin(buffer_, n_dims);
    }

    void
    take(const Row& row, const Fields& fields) {
        if (row.problem)
            fail(row, *row.problem);
        const VectorReader::Outcome read = reader_.read(row.fields[fields.vector]);
        if (read.problem)
            fail(row, *read.problem);
        if (n_dims_ == 0)
            begin(read.values.size());
        if (const std::optional<Problem> problem = judge_vector(read.values, n_dims_))
            fail(row, *problem);
        const std::int64_t id = fields.id ? read_id(row.fields[*fields.id], place_of(row))
                                          : options_.id_start + static_cast<std::int64_t>(n_rows_);
        writer_.append(buffer_, id, read.values);
        ++n_rows_;
    }

    std::string
    place_of(const Row& row) const {
        return row.line == 0
                   ? fmt::format("{}: row {}", input_.name(), row.number)
                   : fmt::format("{}: row {} (line {})", input_.name(), row.number, row.line);
    }

    [[noreturn]] void
    fail(const Row& row, const Problem& problem) const {
        throw InputError(fmt::format("{}: {}", place_of(row), problem.message));
    }

    void
    end() {
        if (n_dims_ == 0)
            throw InputError(fmt::format("{}: expected rows, found none", input_.name()));
        writer_.end(buffer_);
        output_.write(buffer_);
        buffer_.clear();
        if (!writer_.has_count() || input_.n_rows())
            return;
        writer_.set_count(n_rows_);
        writer_.begin(buffer_, n_dims_);
        output_.write_at_start(buffer_);
    }

    Input& input_;
    VectorWriter& writer_;
    OutputFile& output_;
    const ConvertOptions& options_;
    VectorReader reader_;
    std::vector<std::uint8_t> buffer_;
    std::size_t n_dims_ = 0;
    std::uint64_t n_rows_ = 0;
};

/// Raw numbers need a companion that tells their shape.
void
write_sidecar(const std::string& path, std::uint64_t n_rows, std::size_t n_dims,
              const std::string& metric) {
    const std::size_t dot = path.find_last_of("./");
    const bool has_ending = dot != std::string::npos && path[dot] == '.';
    nlohmann::ordered_json object = {{"n", n_rows}, {"dim", n_dims}};
    if (!metric.empty())
        object["metric"] = metric;
    const std::string text = object.dump() + "\n";
    OutputFile file(path.substr(0, has_ending ? dot : path.size()) + ".json");
    file.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    file.close();
}

}  // namespace

int
run_convert(const ConvertOptions& options) {
    const std::string format =
        !options.to.empty() ? options.to : name_of(detect_format("auto", options.output_path, {}));
    const std::unique_ptr<VectorWriter> writer = make_writer(format);
    const std::unique_ptr<Input> input = open_input(options.input_path, options.input, options.ids);
    if (options.input_path == options.output_path && options.output_path != "-")
        throw UsageError("input and output are the same file");
    OutputFile output(options.output_path);
    Progress progress(options.report.progress_kind());
    Converter converter(*input, *writer, output, options);
    const std::uint64_t n_rows = converter.run(progress);
    const std::string metric = options.metric.empty() ? input->metric() : options.metric;
    output.close();
    if (format == "f32" && options.output_path != "-")
        write_sidecar(options.output_path, n_rows, converter.n_dims(), metric);
    if (options.output_path == "-")
        return static_cast<int>(ExitCode::kDone);
    if (options.report.wants_json())
        fmt::print("{}\n", nlohmann::ordered_json{{"command", "convert"},
                                                  {"vectors", n_rows},
                                                  {"dimension", converter.n_dims()},
                                                  {"output", options.output_path}}
                               .dump());
    else if (!options.report.is_quiet)
        fmt::print("{} vectors of {} dimensions in {}\n", with_thousands(n_rows),
                   converter.n_dims(), options.output_path);
    return static_cast<int>(ExitCode::kDone);
}

}  // namespace vext::client
