// A core::Arena over malloc for unit tests: every block has its exact size, so that the address
// sanitizer sees a read beyond it, and lives until the TestArena goes.

#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/arena.h"

namespace vext::test {

class TestArena {
   public:
    /// A larger request is a defect of the code under test, such as an overflowed size.
    static constexpr std::size_t kMaxBytes = std::size_t{1} << 32;

    TestArena() : arena_(this, &allocate) {}
    TestArena(const TestArena&) = delete;
    TestArena& operator=(const TestArena&) = delete;
    ~TestArena() {
        for (void* block : blocks_)
            std::free(block);
    }

    core::Arena&
    arena() {
        return arena_;
    }
    /// Bytes asked for so far.
    std::size_t
    n_bytes() const {
        return n_bytes_;
    }

   private:
    static void*
    allocate(void* owner, std::size_t n_bytes) {
        auto* self = static_cast<TestArena*>(owner);
        void* block = nullptr;
        if (n_bytes > kMaxBytes || posix_memalign(&block, core::Arena::kAlignment, n_bytes) != 0 ||
            block == nullptr) {
            std::fprintf(stderr, "TestArena: refused %zu bytes\n", n_bytes);
            std::abort();
        }
        self->blocks_.push_back(block);
        self->n_bytes_ += n_bytes;
        return block;
    }

    std::vector<void*> blocks_;
    std::size_t n_bytes_ = 0;
    core::Arena arena_;
};

}  // namespace vext::test
