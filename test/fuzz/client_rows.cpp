// Any bytes as a file of each format: the first byte chooses the format, the second how compressed.
// Rows come out numbered one by one, as many as pieces say, and their values are written or
// refused; or the file is an InputError.

#include <cstdint>
#include <string>

#include "error.h"
#include "input/open.h"
#include "input/sidecar.h"
#include "load/values.h"

namespace {

using namespace vext::client;

std::unique_ptr<Input>
open_as(int format, std::unique_ptr<PeekSource> source) {
    InputOptions options;
    switch (format % 8) {
        case 0:
            return open_npy(std::move(source), "standard input", options);
        case 1:
            options.dimension = 3;
            return open_f32(std::move(source), "standard input", options);
        case 2:
            return open_vecs(std::move(source), "input", Element::kF32, options);
        case 3:
            return open_vecs(std::move(source), "input", Element::kU8, options);
        case 4:
            return open_csv(std::move(source), "input", options);
        case 5:
            options.has_no_header = true;
            options.delimiter = "tab";
            return open_csv(std::move(source), "input", options);
        case 6:
            return open_jsonl(std::move(source), "input");
        default:
            return open_copy_binary(std::move(source), "input");
    }
}

void
write_values(ValueWriter& writer, const Field& field) {
    Bytes out;
    for (int kind = 0; kind <= static_cast<int>(ColumnType::kOther); ++kind) {
        const PlannedColumn column = {"c", "t", static_cast<ColumnType>(kind), 0, kind % 2 == 0};
        out.clear();
        writer.append(column, field, out);
        out.clear();
        writer.append_as_text(column, field, out);
    }
}

void
read_rows(Input& input) {
    const std::unique_ptr<RowDecoder> decoder = input.make_decoder();
    ValueWriter writer;
    Piece piece;
    std::uint64_t n_rows = 0;
    while (input.next(piece)) {
        if (piece.first_row != n_rows + 1)
            __builtin_trap();
        const std::uint64_t n_expected = n_rows + piece.n_rows;
        decoder->decode(piece, [&](const Row& row) {
            if (row.number != ++n_rows)
                __builtin_trap();
            if (!row.problem)
                for (const Field& field : row.fields)
                    write_values(writer, field);
        });
        if (n_rows != n_expected)
            __builtin_trap();
    }
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2)
        return 0;
    const std::span<const std::uint8_t> bytes(data + 2, size - 2);
    try {
        std::unique_ptr<ByteSource> source = memory_source(bytes);
        if (data[1] % 8 == 1)
            source = gzip_source(std::move(source), "input");
        else if (data[1] % 8 == 2)
            source = zstd_source(std::move(source), "input");
        else if (data[1] % 8 == 3)
            source = utf8_source(std::move(source), "UTF-16", "input");
        const auto input = open_as(data[0], std::make_unique<PeekSource>(std::move(source)));
        read_rows(*input);
    } catch (const InputError&) {
    }
    try {
        parse_sidecar({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "input.json");
    } catch (const InputError&) {
    }
    return 0;
}
