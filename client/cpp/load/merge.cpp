// Through a stage of the server: vector_stage_for, COPY, vector_bulk_upsert, in one transaction.

#include <fmt/format.h>

#include <cstdlib>

#include "error.h"
#include "load/copy_sink.h"
#include "load/load.h"
#include "server/extension.h"

namespace vext::client {

namespace {

constexpr const char* kRejects = "vector_bulk_load_rejects";

std::string
array_literal(const std::vector<std::string>& names) {
    std::string text = "{";
    for (const std::string& name : names) {
        text += text.size() == 1 ? "\"" : ",\"";
        for (const char c : name) {
            if (c == '"' || c == '\\')
                text += '\\';
            text += c;
        }
        text += '"';
    }
    return text + "}";
}

/// "a,b" and repeated options alike.
std::vector<std::string>
split_commas(const std::vector<std::string>& texts) {
    std::vector<std::string> names;
    for (const std::string& text : texts) {
        std::size_t at = 0;
        for (std::size_t comma = 0; comma != std::string::npos; at = comma + 1) {
            comma = text.find(',', at);
            names.push_back(text.substr(at, comma == std::string::npos ? comma : comma - at));
        }
    }
    return names;
}

std::string
make_stage(LoadContext& context) {
    std::vector<std::string> names;
    for (const PlannedColumn& column : context.plan.columns)
        names.push_back(column.name);
    const std::string function = require_function(context.connection, "vector_stage_for");
    return context.connection
        .query(fmt::format("SELECT {}($1::regclass, NULL, $2::name[])::text", function),
               {context.plan.table.name, array_literal(names)})
        .string(0, 0);
}

/// A row of the stage that the server names in an error gets its file's row in front.
[[noreturn]] void
throw_with_place(const ServerError& error, const CopyStream& stream) {
    const std::string message = error.what();
    for (const char* before : {"DETAIL: Row ", "rows "}) {
        const std::size_t at = message.find(before);
        if (at == std::string::npos)
            continue;
        const std::string place = stream.place_of(
            std::strtoull(message.c_str() + at + std::string_view(before).size(), nullptr, 10));
        if (!place.empty())
            throw ServerError(error.sqlstate(), fmt::format("{}: {}", place, message),
                              error.hint());
    }
    throw error;
}

Result
call_upsert(LoadContext& context, const std::string& stage, const RejectLog& rejects) {
    const LoadOptions& options = context.options;
    const std::string function = require_function(context.connection, "vector_bulk_upsert");
    const std::vector<std::string> key = split_commas(options.key);
    const std::int64_t n_left =
        rejects.limit() < 0 ? -1 : rejects.limit() - static_cast<std::int64_t>(rejects.n_rejects());
    return context.connection.query(
        fmt::format(
            "SELECT inserted, updated, unchanged, skipped, rejected FROM {}("
            "$1::regclass, $2::regclass, $3, $4::name[], NULL, $5::jsonb, $6, $7::regclass, "
            "$8::bigint)",
            function),
        {context.plan.table.name, stage, options.on_conflict,
         key.empty() ? Parameter() : Parameter(array_literal(key)),
         options.merge.empty() ? Parameter() : Parameter(options.merge), options.duplicates,
         rejects.limit() == 0 ? Parameter() : Parameter(fmt::format("pg_temp.{}", kRejects)),
         std::to_string(n_left)});
}

/// The server's rejects join those of ours, with the rows of the files.
void
take_rejects(LoadContext& context, RejectLog& rejects, const CopyStream& stream) {
    const Result found = context.connection.query(fmt::format(
        "SELECT source_row, sqlstate, message, raw FROM pg_temp.{} ORDER BY source_row", kRejects));
    for (int i = 0; i < found.n_rows(); ++i) {
        Reject reject;
        const CopyStream::Place place =
            stream.find(static_cast<std::uint64_t>(found.integer(i, 0)));
        reject.input = place.input;
        reject.row = place.row;
        reject.problem = {found.string(i, 1), found.string(i, 2)};
        reject.raw = found.string(i, 3);
        rejects.add(reject);
    }
    rejects.flush();
}

void
show_merging(Connection& connection, Progress& progress) {
    connection.on_notice([&progress](const std::string& text) {
        unsigned long long n_done = 0;
        if (std::sscanf(text.c_str(), "vector_bulk_upsert: %llu of", &n_done) == 1)
            progress.set(n_done);
    });
}

}  // namespace

void
load_by_merge(LoadContext& context) {
    Connection& connection = context.connection;
    const LoadOptions& options = context.options;
    RejectLog rejects(input_names(context.inputs), options.max_errors, options.reject_file);
    try {
        connection.execute("BEGIN");
        if (options.index_when == "before")
            build_wanted_index(context);
        const std::string stage = make_stage(context);
        if (rejects.limit() != 0)
            connection.execute(fmt::format(
                "CREATE TEMP TABLE {} (source_row bigint, key text, sqlstate text, message text, "
                "raw text) ON COMMIT DROP",
                kRejects));
        CopySink sink(connection, context.plan, stage, context.inputs, false);
        const PipelineCounts counts = pump(context, {&sink}, rejects);
        context.progress.begin("merging", counts.n_sent);
        show_merging(connection, context.progress);
        try {
            const Result merged = call_upsert(context, stage, rejects);
            const auto count = [&](int column) {
                return static_cast<std::uint64_t>(merged.integer(0, column));
            };
            context.stats.merged = MergeCounts{count(0), count(1), count(2), count(3)};
        } catch (const ServerError& error) {
            throw_with_place(error, sink.stream());
        }
        context.progress.set(counts.n_sent);
        context.progress.end();
        connection.on_notice(nullptr);
        if (rejects.limit() != 0)
            take_rejects(context, rejects, sink.stream());
        context.stats.rejected = rejects.n_rejects();
        if (options.index_when == "after")
            build_wanted_index(context);
        connection.execute("COMMIT");
    } catch (...) {
        connection.on_notice(nullptr);
        connection.rollback();
        throw;
    }
}

}  // namespace vext::client
