#include "load/load.h"

#include <memory>

#include "commands/registry.h"

namespace vext::client {

namespace {

void
append_table_options(LoadOptions& load, std::vector<Option>& options) {
    options.push_back(
        {"-i,--input,INPUT", "FILE", "Files to load, or - for standard input", &load.paths});
    options.push_back({"--table,-o,--output",
                       "TABLE",
                       "The table, as SQL writes it: items, app.items",
                       &load.plan.table,
                       {},
                       INT64_MIN,
                       INT64_MAX,
                       true});
    options.push_back({"--column", "NAME", "Column of the vectors (the only one of the table)",
                       &load.plan.column});
    options.push_back({"--ids", "FILE", "Ids of the rows: raw unsigned 64-bit numbers", &load.ids});
    options.push_back({"--id-start",
                       "N",
                       "Id of the first row where files have no ids (0)",
                       &load.plan.id_start,
                       {},
                       0,
                       INT64_MAX});
    options.push_back({"--id-column", "NAME", "Column of the ids (id)", &load.plan.id_column});
    options.push_back({"--map", "FIELD=COLUMN",
                       "Column of a field of CSV or JSON; FIELD= leaves it out; may be repeated",
                       &load.plan.maps});
    load.input.append_to(options);
}

void
append_reject_options(LoadOptions& load, std::vector<Option>& options) {
    options.push_back(
        {"--max-errors",
         "N",
         "Rows that may be rejected, -1 for any number (0: the first one ends the load)",
         &load.max_errors,
         {},
         -1,
         INT64_MAX});
    options.push_back({"--reject-file", "FILE",
                       "CSV file that rejected rows are added to, each with its reason",
                       &load.reject_file});
}

void
append_merge_options(LoadOptions& load, std::vector<Option>& options) {
    options.push_back({"--on-conflict",
                       "MODE",
                       "Merge through a stage: what becomes of a row whose key exists",
                       &load.on_conflict,
                       {"error", "skip", "update"}});
    options.push_back(
        {"--key", "COLUMN",
         "Columns of a unique index that tell rows apart (the primary key); with commas, or "
         "repeated",
         &load.key});
    options.push_back(
        {"--merge", "JSON", "Rules for columns, such as {\"hits\": \"sum\"}", &load.merge});
    options.push_back({"--duplicates",
                       "MODE",
                       "Which row counts when the input has a key twice (error)",
                       &load.duplicates,
                       {"error", "first", "last"}});
}

}  // namespace

Command
make_load_command() {
    auto load = std::make_shared<LoadOptions>();
    Command command;
    command.name = "load";
    command.summary = "Load vectors from files into a table";
    command.description =
        "Reads .npy, raw float32, fvecs, ivecs, bvecs, CSV, JSON lines and binary COPY data, also "
        "compressed by gzip or zstd, and loads the rows by binary COPY.\n\n"
        "All rows are loaded or none, however the load ends. With --import-id chunks commit one by "
        "one "
        "instead, and a second run with the same name goes on where the first one stopped.\n\n"
        "With -t N, N connections fill a new table under another name until the end. A table that "
        "exists is filled by one, with any -t: transactions of several cannot commit as one, and "
        "to write rows elsewhere first takes longer. Rows without ids are numbered from "
        "--id-start, if the table has an integer column for ids without a default.";
    std::vector<Option>& options = command.options;
    append_table_options(*load, options);
    options.push_back({"--create", "",
                       "Create the table: an id, the vector, other fields as text or jsonb",
                       &load->plan.is_create});
    options.push_back({"--type",
                       "TYPE",
                       "Type of the vectors of a new table (vector)",
                       &load->plan.type,
                       {"vector", "halfvec", "sparsevec", "bit"}});
    options.push_back({"--index",
                       "WHEN",
                       "Build an hnsw index: after the rows, or before them (none)",
                       &load->index_when,
                       {"after", "before", "none"}});
    load->index.append_to(options);
    options.push_back({"-t,--threads",
                       "N",
                       "Connections to a new table or of an import, and processes of the build (0: "
                       "one connection, and as the server is set)",
                       &load->threads,
                       {},
                       0,
                       64});
    options.push_back({"--import-id", "NAME",
                       "Name of the import: a second run loads nothing twice", &load->import_id});
    options.push_back({"--batch-size",
                       "ROWS",
                       "Rows of a chunk of an import (10000)",
                       &load->batch_size,
                       {},
                       1,
                       100000000});
    append_reject_options(*load, options);
    append_merge_options(*load, options);
    options.push_back({"--dry-run", "",
                       "Read and judge all rows, load none, and estimate what it takes",
                       &load->is_dry_run});
    load->append_recall_to(options);
    load->connection.append_to(options);
    load->report.append_to(options);
    command.examples = {
        {"vector-bulk load items.npy --table items --create --index after",
         "Make a table of a NumPy array, with an index"},
        {"vector-bulk load items.csv --table items --map vec=embedding --max-errors 10 "
         "--reject-file bad.csv",
         "Load a CSV file, and set up to 10 bad rows aside"},
        {"vector-bulk load big.f32.zst -d 768 --table items --import-id big-1 -t 2",
         "Load in chunks by two connections, and go on after an interruption by the same command"}};
    command.prints_afterwards = true;
    command.run = [load] { return run_load(*load); };
    return command;
}

Command
make_upsert_command() {
    auto load = std::make_shared<LoadOptions>();
    load->command = "upsert";
    load->on_conflict = "update";
    Command command;
    command.name = "upsert";
    command.summary = "Merge rows from files into a table";
    command.description =
        "Copies the rows into a stage and merges them by vector_bulk_upsert, in one transaction. "
        "The "
        "summary counts what was inserted, updated, unchanged, skipped and rejected.";
    append_table_options(*load, command.options);
    append_merge_options(*load, command.options);
    append_reject_options(*load, command.options);
    load->connection.append_to(command.options);
    load->report.append_to(command.options);
    command.examples = {
        {"vector-bulk upsert changes.jsonl --table items --merge '{\"hits\": \"sum\"}'",
         "Add new rows, replace old ones, and add up a counter"}};
    command.prints_afterwards = true;
    command.run = [load] { return run_load(*load); };
    return command;
}

}  // namespace vext::client
