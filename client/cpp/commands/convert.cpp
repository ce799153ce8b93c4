#include "convert/convert.h"

#include <memory>

#include "commands/registry.h"

namespace vext::client {

Command
make_convert_command() {
    auto convert = std::make_shared<ConvertOptions>();
    Command command;
    command.name = "convert";
    command.summary = "Convert a file of vectors to another format";
    command.description =
        "Reads every format of load and writes raw float32 (with its shape in a .json beside it), "
        ".npy, "
        "fvecs, CSV or binary COPY data. The file takes its name when all is written. Binary COPY "
        "data "
        "has an id and the vector in each row; on standard output it also serves COPY ... FROM "
        "PROGRAM.";
    std::vector<Option>& options = command.options;
    options.push_back({"-i,--input,INPUT",
                       "FILE",
                       "File to read, or - for standard input",
                       &convert->input_path,
                       {},
                       INT64_MIN,
                       INT64_MAX,
                       true});
    options.push_back({"-o,--output",
                       "FILE",
                       "File to write, or - for standard output",
                       &convert->output_path,
                       {},
                       INT64_MIN,
                       INT64_MAX,
                       true});
    options.push_back({"--to,--to-format",
                       "FORMAT",
                       "Format of the output (by its ending)",
                       &convert->to,
                       {"f32", "npy", "fvecs", "csv", "copy-binary"}});
    convert->input.append_to(options);
    options.push_back({"--column", "NAME", "Field of the vectors", &convert->column});
    options.push_back({"--id-column", "NAME", "Field of the ids (id)", &convert->id_column});
    options.push_back(
        {"--ids", "FILE", "Ids of the rows: raw unsigned 64-bit numbers", &convert->ids});
    options.push_back({"--id-start",
                       "N",
                       "Id of the first row where the input has no ids (0)",
                       &convert->id_start,
                       {},
                       0,
                       INT64_MAX});
    options.push_back({"--metric",
                       "METRIC",
                       "Noted beside raw float32",
                       &convert->metric,
                       {"l2", "ip", "cosine", "l1"}});
    convert->report.append_to(options);
    command.examples = {
        {"vector-bulk convert -i items.npy -o items.fvecs", "By the endings of the names"},
        {"COPY items FROM PROGRAM 'vector-bulk convert -i /data/items.npy -o - --to "
         "copy-binary' (FORMAT binary)",
         "On the server, in SQL"}};
    command.prints_afterwards = true;
    command.run = [convert] { return run_convert(*convert); };
    return command;
}

}  // namespace vext::client
