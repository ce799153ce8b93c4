// --create: the table that inputs ask for.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "load/plan.h"

namespace vext::client {

struct NewTable {
    Table table;
    std::string sql;
    std::string vector_column;
    std::vector<std::string> maps;
};

/// An id bigint PRIMARY KEY, the vector with its dimensions and stored plain where a page has room,
/// further fields as text, or jsonb where the first rows have objects.
NewTable design_table(Connection& connection, const std::vector<std::unique_ptr<Input>>& inputs,
                      const PlanOptions& options);

}  // namespace vext::client
