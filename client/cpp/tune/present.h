// What tune has measured, as text, as JSON and as a report. Pure.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "inspect/index.h"
#include "report/page.h"
#include "tune/rebuild.h"
#include "tune/searches.h"

namespace vext::client {

struct TuneResult {
    Index index;
    std::int64_t hot_bytes = -1, cold_bytes = -1;  ///< below zero: this extension does not tell
    std::string queries;                           ///< where they came from, for people
    std::size_t n_queries = 0;
    int k = 10;
    double wanted = 0.95;
    Times exact;
    double round_trip = 0;
    std::vector<Setting> settings;  ///< in ascending order of ef_search
    int chosen = -1;                ///< the least that reaches what is wanted; below zero: none
    int ef_now = 0;                 ///< what a session has that sets nothing
    std::vector<Rebuild> rebuilds;
    std::int64_t n_copied = 0;  ///< rows that these were built on
    double shared_buffers = 0;  ///< bytes
    std::string database, server, command, when;
};

/// What is to be known in two or three sentences.
std::string summary_of(const TuneResult& result);
/// Statements that make the chosen setting permanent, or set it for a session; none without one.
std::vector<std::string> proposed_sql(const TuneResult& result);

std::string to_text(const TuneResult& result);
nlohmann::json to_json(const TuneResult& result);
report::Page to_page(const TuneResult& result);

}  // namespace vext::client
