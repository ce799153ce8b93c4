#include "core/codec/rotation.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "core/codec/lanes.h"
#include "core/distance/dispatch.h"
#include "core/hash.h"

namespace vext::core {

Rotation::Rotation(Arena& arena, std::size_t n_dims, std::uint64_t seed)
    : n_dims_(n_dims),
      n_padded_(padded_dims(n_dims)),
      block_size_(std::bit_floor(n_padded_)),
      n_steps_(block_size_ == n_padded_ ? 3 : 6) {
    const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(block_size_)));
    std::span<float> signs = arena.allocate<float>(n_steps_ * block_size_);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < signs.size(); i++) {
        if (i % 64 == 0)
            bits = mix64(seed + mix64(i / 64));
        signs[i] = (bits >> (i % 64)) & 1 ? -scale : scale;
    }
    signs_ = signs.data();
}

std::size_t
Rotation::block_offset(std::size_t step) const {
    const std::size_t last = n_padded_ - block_size_;
    return step % 3 * last / 2;
}

void
Rotation::apply(const float* in, float* out) const {
    if (in != out)
        std::memcpy(out, in, n_dims_ * sizeof(float));
    std::memset(out + n_dims_, 0, (n_padded_ - n_dims_) * sizeof(float));
    for (std::size_t step = 0; step < n_steps_; step++) {
        const float* signs = signs_ + step * block_size_;
        float* block = out + block_offset(step);
        for (std::size_t i = 0; i < block_size_; i += kLanes)
            store(block + i, load(block + i) * load(signs + i));
        kernels().hadamard(block, block_size_);
    }
}

double
Rotation::relative_error() const {
    // A transform adds once for each bit of the block size; the sign's scale is rounded, and so is
    // the product with it.
    const double n_roundings = static_cast<double>(n_steps_ * (std::bit_width(block_size_) + 1));
    return n_roundings * 0x1p-24;
}

}  // namespace vext::core
