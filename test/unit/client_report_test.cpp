// What the client prints: progress, numbers, the manual and the completions of all options.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "commands/registry.h"

#include <algorithm>

#include "options/manual.h"
#include "progress/renderers.h"

namespace {

using namespace vext::client;

TEST(Progress, BarFitsTheTerminal) {
    ProgressState state = {"loading", "rows", 250000, 1000000, 3, 2.5};
    const std::string line = bar_line(state, 100);
    EXPECT_EQ(line.find("loading  25 % [#####."), 0U) << line;
    EXPECT_NE(line.find("250,000 of 1,000,000 rows, 100,000/s, 3 rejected, 0:08 left"),
              std::string::npos)
        << line;
    for (int n_columns = 1; n_columns < 120; ++n_columns)
        EXPECT_LT(bar_line(state, n_columns).size(),
                  static_cast<std::size_t>(std::max(n_columns, 2)));
    state.total = 0;
    EXPECT_EQ(bar_line(state, 100).find('%'), std::string::npos);
}

TEST(Progress, JsonIsJson) {
    const auto object = nlohmann::json::parse(json_line({"a \"b\"", "rows", 1, 0, 0, 0}, true));
    EXPECT_EQ(object["phase"], "a \"b\"");
    EXPECT_TRUE(object["total"].is_null());
    EXPECT_TRUE(object["end"].get<bool>());
}

TEST(Numbers, AreReadable) {
    EXPECT_EQ(with_thousands(0), "0");
    EXPECT_EQ(with_thousands(999), "999");
    EXPECT_EQ(with_thousands(1234567), "1,234,567");
    EXPECT_EQ(human_bytes(999), "999 bytes");
    EXPECT_EQ(human_bytes(1500), "1.5 kB");
    EXPECT_EQ(human_bytes(999960000), "1.0 GB");
    EXPECT_EQ(human_seconds(3723), "1:02:03");
    EXPECT_EQ(human_seconds(5.4), "0:05");
}

/// Every option of the table is in the manual and in all completions.
TEST(Options, AreEverywhere) {
    const std::vector<Command> commands = all_commands();
    const std::string manual = manual_page(commands);
    for (const Command& command : commands) {
        EXPECT_FALSE(command.description.empty()) << command.name;
        for (const Option& option : command.options) {
            EXPECT_FALSE(option.help.empty() || option.help.ends_with('.')) << option.names;
            for (const std::string& flag : option.flags()) {
                std::string roff;
                for (const char c : flag)
                    roff += c == '-' ? std::string("\\-") : std::string(1, c);
                EXPECT_NE(manual.find(roff), std::string::npos) << flag;
                for (const char* shell : {"bash", "zsh"})
                    EXPECT_NE(completion_script(commands, shell).find(flag), std::string::npos)
                        << flag;
                const std::string fish =
                    flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
                EXPECT_NE(completion_script(commands, "fish").find(fish), std::string::npos)
                    << flag;
            }
        }
    }
}

}  // namespace
