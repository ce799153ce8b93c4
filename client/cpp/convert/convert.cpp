#include "convert/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "convert/writers.h"
#include "error.h"
#include "input/format.h"
#include "input/open.h"
#include "input/sidecar.h"
#include "input/vector_field.h"
#include "load/encoder.h"
#include "server/interrupt.h"
#include "streams.h"

namespace vext::client {

namespace {

struct Fields {
    std::optional<std::size_t> vector;  ///< nothing where no row has a field
    std::optional<std::size_t> id;
};

Fields
choose_fields(const Input& input, const ConvertOptions& options) {
    Fields fields;
    std::optional<std::size_t>& vector = fields.vector;
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
    if (!vector && !input.columns().empty())
        throw UsageError(fmt::format("{}: {}", input.name(),
                                     input.first_problem().empty() ? "no field has vectors"
                                                                   : input.first_problem()),
                         "--column names the field");
    if (!options.id_column.empty() && !fields.id)
        throw UsageError(
            fmt::format("{}: there is no field \"{}\"", input.name(), options.id_column));
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

/// A piece on its way: read, converted by one thread, written.
struct Slot {
    Piece piece;
    bool is_read = false;      ///< else nothing was left to read
    std::uint64_t n_rows = 0;  ///< in bytes
    std::unique_ptr<RowDecoder> decoder;
    VectorReader reader;
    std::vector<std::uint8_t> bytes;
};

/// Goes in rounds: while some pieces are converted, each by a thread, those of the round before are
/// written and those of the next one read.
class Converter {
   public:
    Converter(Input& input, VectorWriter& writer, OutputFile& output, const ConvertOptions& options)
        : input_(input), writer_(writer), output_(output), options_(options) {}

    std::uint64_t
    run(Progress& progress) {
        if (input_.n_dims())
            begin(*input_.n_dims());
        fields_ = choose_fields(input_, options_);
        progress.begin("converting", input_.n_stored(), "bytes");
        std::vector<Slot> now = make_slots();
        std::vector<Slot> other = make_slots();
        // The first row tells the dimensions.
        while (n_dims_ == 0 && read(other.front()))
            convert(other.front());
        for (Slot& slot : now)
            read(slot);
        for (bool goes_on = true; goes_on; std::swap(now, other)) {
            goes_on = now.front().is_read;
            run_round(now, other);
            progress.set(input_.n_stored_read());
        }
        end();
        progress.end();
        return n_rows_;
    }

    std::size_t
    n_dims() const {
        return n_dims_;
    }

   private:
    std::vector<Slot>
    make_slots() const {
        std::vector<Slot> slots(std::clamp(std::thread::hardware_concurrency(), 1U, 4U));
        for (Slot& slot : slots)
            slot.decoder = input_.make_decoder();
        return slots;
    }

    /// Converts `now`; meanwhile writes and then fills `other`.
    void
    run_round(std::vector<Slot>& now, std::vector<Slot>& other) {
        check_interrupt();
        std::vector<std::future<void>> conversions;
        for (Slot& slot : now)
            if (slot.is_read)
                conversions.push_back(
                    std::async(std::launch::async, [this, &slot] { convert(slot); }));
        std::exception_ptr error;
        try {
            for (Slot& slot : other)
                write(slot);
            for (Slot& slot : other)
                read(slot);
        } catch (...) {
            error = std::current_exception();
        }
        // What is wrong with an earlier row is told first.
        for (std::future<void>& conversion : conversions)
            conversion.get();
        if (error)
            std::rethrow_exception(error);
    }

    bool
    read(Slot& slot) {
        slot.is_read = !is_at_end_ && input_.next(slot.piece);
        is_at_end_ = !slot.is_read;
        return slot.is_read;
    }

    void
    write(Slot& slot) {
        output_.write(slot.bytes);
        slot.bytes.clear();
        n_rows_ += std::exchange(slot.n_rows, 0);
    }

    /// By any thread, once the dimensions are known.
    void
    convert(Slot& slot) {
        slot.decoder->decode(slot.piece, [&](const Row& row) { take(row, slot); });
    }

    void
    begin(std::size_t n_dims) {
        n_dims_ = n_dims;
        if (writer_.has_count() && !input_.n_rows() && !output_.is_seekable())
            throw UsageError(
                "the header has the number of rows, which the input does not tell: write to a "
                "file, not to standard output or a device");
        writer_.set_count(input_.n_rows().value_or(0));
        std::vector<std::uint8_t> header;
        writer_.begin(header, n_dims);
        output_.write(header);
    }

    void
    take(const Row& row, Slot& slot) {
        if (row.problem)
            fail(row, *row.problem);
        if (!fields_.vector)
            fail(row, {"22P02", "no field has a vector"});
        const VectorReader::Outcome read = slot.reader.read(row.fields[*fields_.vector]);
        if (read.problem)
            fail(row, *read.problem);
        if (n_dims_ == 0)
            begin(read.values.size());
        if (const std::optional<Problem> problem = judge_vector(read.values, n_dims_))
            fail(row, *problem);
        const std::optional<std::int64_t> id =
            fields_.id ? read_id(row.fields[*fields_.id], place_of(input_, row))
                       : counted_id(options_.id_start, row.number - 1);
        if (!id)
            fail(row, {"22003", kNoIdLeft});
        writer_.append(slot.bytes, *id, read.values);
        ++slot.n_rows;
    }

    [[noreturn]] void
    fail(const Row& row, const Problem& problem) const {
        throw InputError(fmt::format("{}: {}", place_of(input_, row), problem.message));
    }

    void
    end() {
        if (n_dims_ == 0)
            throw InputError(fmt::format("{}: expected rows, found none", input_.name()));
        std::vector<std::uint8_t> bytes;
        writer_.end(bytes);
        output_.write(bytes);
        if (!writer_.has_count() || input_.n_rows())
            return;
        bytes.clear();
        writer_.set_count(n_rows_);
        writer_.begin(bytes, n_dims_);
        output_.write_at_start(bytes);
    }

    Input& input_;
    VectorWriter& writer_;
    OutputFile& output_;
    const ConvertOptions& options_;
    Fields fields_;
    std::size_t n_dims_ = 0;  ///< set before a thread reads it
    std::uint64_t n_rows_ = 0;
    bool is_at_end_ = false;
};

bool
is_same_file(const std::string& a, const std::string& b) {
    std::error_code error;
    return a == b || std::filesystem::equivalent(a, b, error);
}

/// Where raw numbers get a companion; empty where none is written: to a device or a pipe.
std::string
choose_sidecar(const ConvertOptions& options, const std::string& format) {
    if (format != "f32" || !OutputFile::is_replaced(options.output_path))
        return {};
    const std::string path = sidecar_path(options.output_path);
    if (std::filesystem::exists(path) && !is_sidecar(path))
        throw UsageError(fmt::format("{}: expected to write {} beside it, found a file that tells "
                                     "no shape of raw numbers",
                                     options.output_path, path),
                         "another name for the output, or for this file");
    return path;
}

/// What would be lost is said before anything is written.
void
check_output(const ConvertOptions& options) {
    if (options.output_path == "-")
        return;
    if (is_same_file(options.input_path, options.output_path) ||
        (!options.ids.empty() && is_same_file(options.ids, options.output_path)))
        throw UsageError("input and output are the same file");
    if (without_compression(options.output_path) != options.output_path)
        throw UsageError(
            fmt::format("{}: files are written without compression", options.output_path),
            "-o - --to FORMAT writes to standard output, for gzip or zstd");
}

/// Raw numbers need a companion that tells their shape.
void
write_sidecar(OutputFile& file, std::uint64_t n_rows, std::size_t n_dims,
              const std::string& metric) {
    nlohmann::ordered_json object = {{"n", n_rows}, {"dim", n_dims}};
    if (!metric.empty())
        object["metric"] = metric;
    const std::string text = object.dump() + "\n";
    file.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

int
run_convert(const ConvertOptions& options) {
    const std::string format =
        !options.to.empty() ? options.to : name_of(detect_format("auto", options.output_path, {}));
    const std::unique_ptr<VectorWriter> writer = make_writer(format);
    const std::unique_ptr<Input> input = open_input(options.input_path, options.input, options.ids);
    check_output(options);
    const std::string sidecar = choose_sidecar(options, format);
    OutputFile output(options.output_path);
    Progress progress(options.report.progress_kind());
    Converter converter(*input, *writer, output, options);
    const std::uint64_t n_rows = converter.run(progress);
    const std::string metric = options.metric.empty() ? input->metric() : options.metric;
    if (sidecar.empty()) {
        output.close();
    } else {
        // Both are written before one of them is there.
        OutputFile beside(sidecar);
        write_sidecar(beside, n_rows, converter.n_dims(), metric);
        output.close();
        beside.close();
    }
    if (options.output_path == "-")
        return static_cast<int>(ExitCode::kDone);
    if (options.report.wants_json())
        print("{}\n", nlohmann::ordered_json{{"command", "convert"},
                                             {"vectors", n_rows},
                                             {"dimension", converter.n_dims()},
                                             {"output", options.output_path}}
                          .dump());
    else if (!options.report.is_quiet)
        print("{} vectors of {} dimensions in {}\n", with_thousands(n_rows), converter.n_dims(),
              options.output_path);
    return static_cast<int>(ExitCode::kDone);
}

}  // namespace vext::client
