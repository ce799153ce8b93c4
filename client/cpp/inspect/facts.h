// Facts about an index: of the catalogue, and of hnsw_info where its extension has it.

#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "inspect/index.h"
#include "report/chart.h"

namespace vext::client {

struct IndexFacts {
    Index index;
    nlohmann::json info;  ///< the row of hnsw_info by names of its columns, or null
    bool is_foreign;      ///< pgvector made its file, which is passed over
};

IndexFacts read_facts(Connection& connection, const Index& index);

std::vector<report::Fact> for_people(const IndexFacts& facts);
nlohmann::json to_json(const IndexFacts& facts);

}  // namespace vext::client
