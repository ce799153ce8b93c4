// Texts put together over an arena.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "core/text_builder.h"
#include "test_arena.h"

namespace vext::core {
namespace {

using test::TestArena;

TEST(TextBuilder, JoinsTextsAndIntegers) {
    TestArena arena;
    TextBuilder out(arena.arena());
    EXPECT_TRUE(out.is_empty());
    out.add("a", 0, std::string_view("b"), -17, " ", INT64_MIN, "", UINT64_MAX);
    const std::string expected = "a0b-17 -922337203685477580818446744073709551615";
    EXPECT_EQ(out.text(), expected);
    EXPECT_EQ(out.c_str(), expected);
    EXPECT_EQ(out.add("!").text(), expected + "!");
}

TEST(TextBuilder, GrowsByAnyAmount) {
    TestArena arena;
    TextBuilder out(arena.arena());
    std::string expected;
    for (int i = 0; i < 200; ++i) {
        const std::string piece(i, 'x');
        out.add(piece, i);
        expected += piece + std::to_string(i);
        ASSERT_EQ(out.c_str(), expected);
    }
}

TEST(Separator, StandsBetweenElements) {
    TestArena arena;
    TextBuilder out(arena.arena());
    Separator between(", ");
    for (int i = 0; i < 3; ++i)
        out.add(between.next(), i);
    EXPECT_EQ(out.text(), "0, 1, 2");
    EXPECT_EQ(concat(arena.arena(), "a", 1), "a1");
}

}  // namespace
}  // namespace vext::core
