#include "inspect/facts.h"

#include <fmt/format.h>

#include <map>

#include "report/format.h"
#include "server/extension.h"

namespace vext::client {

namespace {

using report::bytes;
using report::count;
using report::Fact;
using report::percent;

std::string
codec_title(const std::string& codec) {
    static const std::map<std::string, std::string> kTitles = {
        {"exact", "exact (float32)"},
        {"scalar8", "8 bits a dimension, rotated"},
        {"scalar4", "4 bits a dimension, rotated, residual in the cold part"},
        {"plain8", "8 bits a dimension"},
        {"bits", "the bits themselves"},
        {"sparse", "indices and float32 of the entries"}};
    const auto found = kTitles.find(codec);
    return found == kTitles.end() ? codec : found->second;
}

/// "1,234 different, 12 of them without rows"
std::string
vectors_of(const nlohmann::json& info) {
    std::string text = count(info["nodes"].get<double>()) + " different";
    if (info["dead"] > 0)
        text += fmt::format(", {} of them without rows", count(info["dead"].get<double>()));
    if (info["unlinked"] > 0)
        text += fmt::format(", {} not linked yet", count(info["unlinked"].get<double>()));
    return text;
}

void
append_info(std::vector<Fact>& facts, const nlohmann::json& info) {
    facts.push_back({"vectors", vectors_of(info)});
    facts.push_back(
        {"links", fmt::format("{:.1f} a vector in layer 0, at most {}; {} layers",
                              info["links_avg"].is_null() ? 0.0 : info["links_avg"].get<double>(),
                              info["links_max"].is_null() ? 0 : info["links_max"].get<int>(),
                              info["layers"].get<int>())});
    facts.push_back({"codes", codec_title(info["codec"])});
    facts.push_back({"hot part", fmt::format("{}, {} pages: what every search walks",
                                             bytes(info["hot_bytes"].get<double>()),
                                             count(info["hot_pages"].get<double>()))});
    if (info["cold_bytes"] > 0)
        facts.push_back(
            {"cold part", fmt::format("{}, {} pages: read for rows about to be returned",
                                      bytes(info["cold_bytes"].get<double>()),
                                      count(info["cold_pages"].get<double>()))});
    if (!info["fill"].is_null())
        facts.push_back({"fill", percent(info["fill"].get<double>()) + " of its places in use"});
    facts.push_back({"format", fmt::format("version {}", info["format"].get<int>())});
}

}  // namespace

IndexFacts
read_facts(Connection& connection, const Index& index) {
    IndexFacts facts{index, nullptr, is_foreign(connection, index.name)};
    const auto function = find_function(connection, "hnsw_info");
    if (function && index.is_valid && !facts.is_foreign) {
        const Result row = connection.query(
            fmt::format("SELECT pg_catalog.to_jsonb(i) FROM {}($1::regclass) i", *function),
            {index.name});
        facts.info = nlohmann::json::parse(row.text(0, 0));
    }
    return facts;
}

std::vector<Fact>
for_people(const IndexFacts& facts) {
    const Index& index = facts.index;
    std::vector<Fact> list = {{"table", index.table}};
    if (index.n_rows >= 0)
        list.push_back({"rows", "about " + count(index.n_rows)});
    list.push_back({"indexed", index.expression + " of type " + index.type});
    if (index.is_partial)
        list.push_back({"where", index.predicate});
    list.push_back({"distance", metric_title(index.metric) + " (" + index.class_name + ")"});
    if (index.access_method == "ivfflat")
        list.push_back({"options", "lists " + index.option("lists").value_or("100")});
    else
        list.push_back(
            {"options",
             fmt::format("m {}, ef_construction {}, ef_search {}", index.option("m").value_or("16"),
                         index.option("ef_construction").value_or("64"),
                         index.option("ef_search").value_or("of the session"))});
    list.push_back({"extension", index.extension + " " + index.extension_version});
    if (!index.is_valid)
        list.push_back({"state", "not valid: REINDEX it"});
    if (facts.is_foreign)
        list.push_back({"state", "made by pgvector and not used: REINDEX it"});
    const double n_bytes = static_cast<double>(index.n_bytes);
    list.push_back({"size", index.n_rows > 0 ? fmt::format("{}, {} a row", bytes(n_bytes),
                                                           bytes(n_bytes / index.n_rows))
                                             : bytes(n_bytes)});
    list.push_back({"table size", index.toast_bytes > 8192
                                      ? fmt::format("{}, and {} out of line",
                                                    bytes(static_cast<double>(index.table_bytes)),
                                                    bytes(static_cast<double>(index.toast_bytes)))
                                      : bytes(static_cast<double>(index.table_bytes))});
    if (!facts.info.is_null())
        append_info(list, facts.info);
    return list;
}

nlohmann::json
to_json(const IndexFacts& facts) {
    const Index& index = facts.index;
    nlohmann::json json = {{"index", index.name},
                           {"table", index.table},
                           {"rows_estimated", nullptr},
                           {"expression", index.expression},
                           {"type", index.type},
                           {"dims", index.n_dims},
                           {"metric", index.metric},
                           {"operator_class", index.class_name},
                           {"extension", index.extension},
                           {"extension_version", index.extension_version},
                           {"is_valid", index.is_valid},
                           {"index_bytes", index.n_bytes},
                           {"table_bytes", index.table_bytes},
                           {"toast_bytes", index.toast_bytes},
                           {"options", nlohmann::json::object()},
                           {"info", facts.info}};
    if (index.n_rows >= 0)
        json["rows_estimated"] = index.n_rows;
    if (index.is_partial)
        json["predicate"] = index.predicate;
    for (const IndexOption& option : index.options)
        json["options"][option.name] = option.value;
    return json;
}

}  // namespace vext::client
