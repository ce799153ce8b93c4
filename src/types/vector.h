// The types `vector` and `halfvec`: varlenas of dimensions of float32 or half precision, all
// finite, at least 1 and at most kMaxDims.
//
// The layout is on disk and shared with clients' binary dumps of heap pages; it never changes.
//
// What both types do stands once, as a template over their numbers; `Number` is float or Half. SQL
// functions are made of such templates by VEXT_FUNCTION_AS.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/half.h"
#include "pg/compat.h"

namespace vext::types {

inline constexpr std::size_t kMaxDims = 16000;

using core::Half;

/// What SQL calls the type with these numbers.
template <typename Number>
inline constexpr const char* kTypeName = nullptr;
template <>
inline constexpr const char* kTypeName<float> = "vector";
template <>
inline constexpr const char* kTypeName<Half> = "halfvec";

template <typename Number>
struct Dense {
    std::int32_t vl_len_;  ///< varlena header, read and written by the server's macros only
    std::int16_t dim;
    std::int16_t unused;  ///< 0
    Number x[];

    /// Unsigned, so that even a damaged count cannot contradict vector_size().
    std::size_t
    n_dims() const {
        return static_cast<std::uint16_t>(dim);
    }
    std::span<Number>
    values() {
        return {x, n_dims()};
    }
    std::span<const Number>
    values() const {
        return {x, n_dims()};
    }
};

using Vector = Dense<float>;
using HalfVector = Dense<Half>;

static_assert(sizeof(Vector) == 8 && alignof(Vector) == 4 && std::is_trivial_v<Vector>);
static_assert(offsetof(Vector, dim) == 4 && offsetof(Vector, unused) == 6);
static_assert(offsetof(Vector, x) == 8);
static_assert(sizeof(HalfVector) == 8 && alignof(HalfVector) == 4 &&
              std::is_trivial_v<HalfVector> && offsetof(HalfVector, x) == 8);

template <typename Number>
constexpr std::size_t
vector_size(std::size_t n_dims) {
    return sizeof(Dense<Number>) + n_dims * sizeof(Number);
}

/// A vector whose dimensions are not set, in the current memory context.
/// Requires: n_dims in 1..kMaxDims (see check_dims).
template <typename Number>
Dense<Number>* new_vector(std::size_t n_dims);

/// A copy of `values` in the current memory context. Requires: as new_vector.
template <typename Number>
Dense<Number>* new_vector(std::span<const Number> values);

/// A vector argument as the functions read it: a plain value stays where it is, one with a short
/// header (of at most 127 bytes) is copied into this object, a toasted one into the current memory
/// context. A value whose length contradicts its dimensions is reported as corrupt.
template <typename Number>
class Argument {
   public:
    explicit Argument(Datum datum) {
        auto* stored = reinterpret_cast<varlena*>(DatumGetPointer(datum));
        vector_ =
            VARATT_IS_EXTENDED(stored) ? unpack(stored) : reinterpret_cast<Dense<Number>*>(stored);
        if (unlikely(VARSIZE(vector_) != vector_size<Number>(vector_->n_dims())))
            raise_corrupt();
    }
    Argument(const Argument&) = delete;

    std::span<const Number>
    values() const {
        return vector_->values();
    }

    /// Gives back the memory of a toasted value, for functions called in contexts that are not
    /// reset (comparison during a sort).
    void free_copy(Datum datum);

   private:
    /// Of the longest value with a short header, when it has a full one.
    static constexpr std::size_t kShortSize = VARATT_SHORT_MAX - VARHDRSZ_SHORT + VARHDRSZ;

    Dense<Number>* unpack(varlena* stored);
    [[noreturn]] static void raise_corrupt();

    Dense<Number>* vector_;
    alignas(Dense<Number>) char short_copy_[kShortSize];
};

using VectorArgument = Argument<float>;

static_assert(std::is_trivially_destructible_v<VectorArgument>);

}  // namespace vext::types
