// The type `vector`: a varlena of float32 dimensions, all finite, at least 1 and at most kMaxDims.
//
// The layout is on disk and shared with clients' binary dumps of heap pages; it never changes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "pg/compat.h"

namespace vext::types {

inline constexpr std::size_t kMaxDims = 16000;

struct Vector {
    std::int32_t vl_len_;  ///< varlena header, read and written by the server's macros only
    std::int16_t dim;
    std::int16_t unused;  ///< 0
    float x[];

    /// Unsigned, so that even a damaged count cannot contradict vector_size().
    std::size_t
    n_dims() const {
        return static_cast<std::uint16_t>(dim);
    }
    std::span<float>
    values() {
        return {x, n_dims()};
    }
    std::span<const float>
    values() const {
        return {x, n_dims()};
    }
};

static_assert(sizeof(Vector) == 8 && alignof(Vector) == 4 && std::is_trivial_v<Vector>);
static_assert(offsetof(Vector, dim) == 4 && offsetof(Vector, unused) == 6);
static_assert(offsetof(Vector, x) == 8);

constexpr std::size_t
vector_size(std::size_t n_dims) {
    return sizeof(Vector) + n_dims * sizeof(float);
}

/// A vector whose dimensions are not set, in the current memory context.
/// Requires: n_dims in 1..kMaxDims (see check_dims).
Vector* new_vector(std::size_t n_dims);

/// A copy of `values` in the current memory context. Requires: as new_vector.
Vector* new_vector(std::span<const float> values);

/// A vector argument as the functions read it: a plain value stays where it is, one with a short
/// header (at most 30 dimensions) is copied into this object, a toasted one into the current memory
/// context. A value whose length contradicts its dimensions is reported as corrupt.
class VectorArgument {
   public:
    explicit VectorArgument(Datum datum) {
        auto* stored = reinterpret_cast<varlena*>(DatumGetPointer(datum));
        vector_ = VARATT_IS_EXTENDED(stored) ? unpack(stored) : reinterpret_cast<Vector*>(stored);
        if (unlikely(VARSIZE(vector_) != vector_size(vector_->n_dims())))
            raise_corrupt();
    }
    VectorArgument(const VectorArgument&) = delete;

    std::span<const float>
    values() const {
        return vector_->values();
    }

    /// Gives back the memory of a toasted value, for functions called in contexts that are not
    /// reset (comparison during a sort).
    void free_copy(Datum datum);

   private:
    static constexpr std::size_t kShortSize = 128;  ///< no short varlena is longer

    Vector* unpack(varlena* stored);
    [[noreturn]] static void raise_corrupt();

    Vector* vector_;
    alignas(Vector) char short_copy_[kShortSize];
};

static_assert(std::is_trivially_destructible_v<VectorArgument>);

}  // namespace vext::types
