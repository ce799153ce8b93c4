// The backend's random numbers.

#pragma once

#include "pg/server.h"

extern "C" {
#include "common/pg_prng.h"
#include "storage/block.h"
#include "utils/sampling.h"
}

namespace vext::pg {

/// Uniform in [0, 1).
inline double
random_double() {
    return pg_prng_double(&pg_global_prng_state);
}

inline uint64
random_bits() {
    return pg_prng_uint64(&pg_global_prng_state);
}

/// Up to `n_most` distinct blocks of a relation of `n_blocks`, in ascending order.
class BlockSample {
   public:
    BlockSample(BlockNumber n_blocks, BlockNumber n_most) {
        BlockSampler_Init(&sampler_, n_blocks, static_cast<int>(n_most),
                          static_cast<uint32>(random_bits()));
    }
    bool
    has_more() {
        return BlockSampler_HasMore(&sampler_);
    }
    BlockNumber
    next() {
        return BlockSampler_Next(&sampler_);
    }

   private:
    BlockSamplerData sampler_;
};

}  // namespace vext::pg
