// The growing array: growth must not cost more memory than its comment says, however it is asked
// for.

#include "core/array.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace {

using namespace vext;

// Counts what an arena hands out.
struct CountingArena {
    std::size_t n_bytes = 0;
    std::vector<void*> blocks;
    core::Arena arena{this, &allocate};

    ~CountingArena() {
        for (void* block : blocks)
            std::free(block);
    }

    static void*
    allocate(void* owner, std::size_t n_bytes) {
        auto* self = static_cast<CountingArena*>(owner);
        void* block = nullptr;
        if (posix_memalign(&block, core::Arena::kAlignment, n_bytes) != 0)
            std::abort();
        self->n_bytes += n_bytes;
        self->blocks.push_back(block);
        return block;
    }
};

TEST(ArrayTest, ReservingALittleMoreEachTimeKeepsMemoryLinear) {
    CountingArena counting;
    core::Array<std::uint32_t> array(counting.arena);
    constexpr std::size_t kRounds = 10000;
    constexpr std::size_t kMostOfRound = 100;
    for (std::size_t i = 0; i < kRounds; ++i) {
        array.reserve(array.size() + kMostOfRound);
        array.push_back(static_cast<std::uint32_t>(i));
    }
    for (std::size_t i = 0; i < kRounds; ++i)
        ASSERT_EQ(array[i], i);
    EXPECT_LE(counting.n_bytes, 4 * (kRounds + kMostOfRound) * sizeof(std::uint32_t));
}

TEST(ArrayTest, ReservesWhatIsAskedForWhenThatIsMore) {
    CountingArena counting;
    core::Array<std::uint32_t> array(counting.arena, 4);
    array.reserve(1000);
    const std::size_t n_bytes = counting.n_bytes;
    for (std::uint32_t i = 0; i < 1000; ++i)
        array.push_back(i);
    EXPECT_EQ(counting.n_bytes, n_bytes);
}

TEST(ArrayTest, TellsWhatTheNextElementAllocates) {
    CountingArena counting;
    core::Array<std::uint32_t> array(counting.arena);
    for (std::uint32_t i = 0; i < 100; ++i) {
        const std::size_t n_bytes = counting.n_bytes + array.next_growth() * sizeof(std::uint32_t);
        array.push_back(i);
        EXPECT_EQ(counting.n_bytes, n_bytes);
    }
}

}  // namespace
