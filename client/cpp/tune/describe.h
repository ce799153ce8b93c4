// Words and tables that the text of tune and its report share. Pure.

#pragma once

#include <string>
#include <vector>

#include "report/page.h"
#include "tune/present.h"

namespace vext::client {

/// "98.9 %", with as many decimals as so many queries can tell.
std::string recall_of(const TuneResult& result, const Setting& setting);

/// How many times the fast one is as fast: "163".
std::string times_faster(double slow, double fast);

/// Null where no ef_search reaches what is wanted.
const Setting* chosen_of(const TuneResult& result);
/// Null where it was not measured.
const Setting* setting_now(const TuneResult& result);

/// The least ef_search with which a rebuild reaches what is wanted, or null.
const Setting* reached_by(const Rebuild& rebuild, double wanted);

std::string title_of(const Setting& setting, const TuneResult& result);
std::vector<report::Fact> facts_of(const TuneResult& result, const Setting& setting);
report::Table table_of(const TuneResult& result);
report::Table rebuild_table(const TuneResult& result);

}  // namespace vext::client
