// Telling the next row from the last ones.

#include "core/row_steps.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace vext::core {
namespace {

using Addresses = std::vector<std::uintptr_t>;

constexpr std::uintptr_t kPage = 8192;

/// The rows of pages side by side, as the server fills them: from the end.
Addresses
rows_of_pages(std::size_t n_pages, std::size_t rows_of_page, std::uintptr_t row_bytes) {
    Addresses rows;
    for (std::size_t page = 0; page < n_pages; ++page)
        for (std::size_t row = 1; row <= rows_of_page; ++row)
            rows.push_back(0x7f0000000000 + (page + 1) * kPage - row * row_bytes);
    return rows;
}

struct Told {
    std::size_t n_right = 0;
    std::size_t n_wrong = 0;
};

/// What is told of each row from `begin` on when the one before it comes.
Told
told_from(std::size_t begin, const Addresses& rows) {
    RowSteps steps = {};
    Told told;
    for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
        const std::uintptr_t next = steps.pass(rows[i]);
        if (i + 1 < begin || next == 0)
            continue;
        ++(next == rows[i + 1] ? told.n_right : told.n_wrong);
    }
    return told;
}

TEST(RowSteps, TellsEveryRowFromTheFourthPageOn) {
    for (const std::size_t n : {1, 2, 3, 4, 5, 7, 59, 185}) {
        SCOPED_TRACE(n);
        const Addresses rows = rows_of_pages(20, n, kPage / n / 8 * 8);
        const std::size_t begin = 4 * std::max<std::size_t>(n, 2);
        const Told told = told_from(begin, rows);
        EXPECT_EQ(told.n_right, rows.size() - begin);
        EXPECT_EQ(told.n_wrong, 0u);
    }
}

TEST(RowSteps, TellsThemWhereverTheFirstRowIs) {
    for (std::size_t first = 0; first < 5; ++first) {
        SCOPED_TRACE(first);
        Addresses rows = rows_of_pages(20, 5, 1600);
        rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(first));
        EXPECT_EQ(told_from(20, rows).n_right, rows.size() - 20);
    }
}

TEST(RowSteps, FindsBackAfterAPageThatLacksRows) {
    for (const std::size_t n : {2, 5, 59}) {
        SCOPED_TRACE(n);
        Addresses rows = rows_of_pages(20, n, kPage / n / 8 * 8);
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(10 * n + n / 2));
        const std::size_t begin = 14 * n;
        const Told told = told_from(begin, rows);
        EXPECT_EQ(told.n_right, rows.size() - begin);
        EXPECT_LE(told_from(4 * n, rows).n_wrong, 6u);
    }
}

TEST(RowSteps, FollowsAScanIntoPagesElsewhere) {
    Addresses rows = rows_of_pages(10, 5, 1600);
    for (const std::uintptr_t row : rows_of_pages(10, 5, 1600))
        rows.push_back(row - 1000 * kPage);
    EXPECT_GE(told_from(20, rows).n_right, rows.size() - 20 - 3);
}

TEST(RowSteps, FollowsATableOfOtherRows) {
    for (const std::size_t n : {1, 2, 3, 5}) {
        SCOPED_TRACE(n);
        Addresses rows = rows_of_pages(10, n == 5 ? 2 : 5, 1600);
        for (const std::uintptr_t row : rows_of_pages(20, n, kPage / n / 8 * 8))
            rows.push_back(row + 1000 * kPage);
        const std::size_t begin = rows.size() - 12 * n;
        EXPECT_EQ(told_from(begin, rows).n_right, rows.size() - begin);
    }
}

TEST(RowSteps, TellsNothingOfRowsInNoOrder) {
    std::mt19937_64 random(1);
    Addresses rows;
    for (int i = 0; i < 1000; ++i)
        rows.push_back(0x7f0000000000 + random() % 100000 * 8);
    const Told told = told_from(0, rows);
    EXPECT_EQ(told.n_right + told.n_wrong, 0u);
}

TEST(RowSteps, TellsNothingOfTheFirstTwoRows) {
    RowSteps steps = {};
    EXPECT_EQ(steps.pass(1000), 0u);
    EXPECT_EQ(steps.pass(2000), 0u);
}

}  // namespace
}  // namespace vext::core
