// Codecs: a vector as the few bytes a search reads, and distances from them.
//
// Six models of one concept (models.h) behind one class, so that users need no templates:
//   exact    the float32 values, up to 32 dimensions (its codes must be aligned as float)
//   scalar8  centred, rotated, 8 bits a dimension, up to 256 dimensions
//   scalar4  centred, rotated, 4 bits a dimension and a residual of 8 more, above 256 dimensions
//   plain8   8 bits a dimension over the vector's own range, for L1 above 32 dimensions
//   bits     the bit string itself, for Hamming and Jaccard distances
//   sparse   the entries of a sparse vector, the largest where there are more than a code has room
//   for
// The estimator of the scalar codecs is RaBitQ's (Gao et al.): with the code u of x and
// f = |x|^2 / <x, u>, the expectation of f <u, q> over rotations is <x, q>. Residuals are those of
// LVQ (Aguerrebere et al.). All metrics but L1 share one form,
//   distance = offset(x) + offset(q) - k f <u, q>,
// with k = 2 and squared norms for L2, k = 1 for the inner product:
//   -<v, w> = -<v, c> - <w, c> + |c|^2 - <v - c, w - c>.
// So code-to-code distances are the same product, too: f_a f_b <u_a, u_b>.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/codec/code.h"

namespace vext::core {

/// The codec of an index over vectors, or bit strings, of this length; not over sparse vectors.
CodecKind codec_for(Metric metric, std::size_t n_dims);

/// What the layout of an index needs to know of a codec.
struct CodecSizes {
    std::size_t code_bytes;
    std::size_t residual_bytes;
    bool has_inline_error;
};

/// `n_entries` is how many a code of `sparse` has room for.
CodecSizes codec_sizes(CodecKind kind, std::size_t n_dims, std::size_t n_entries = 0);

/// The entries that a code of `sparse` of this size has room for; 0 where it is of no such size.
std::size_t n_sparse_entries(std::size_t n_dims, std::size_t code_bytes);

namespace internal {
struct CodecOperations;
}

class Codec {
   public:
    /// Requires: centroid (n_dims) and rotation outlive the codec; plain8, exact, bits and sparse
    /// use neither and take null. `n_entries` as in codec_sizes().
    Codec(CodecKind kind, Metric metric, std::size_t n_dims, const float* centroid,
          const Rotation* rotation, std::size_t n_entries = 0);

    CodecKind
    kind() const {
        return kind_;
    }
    Metric
    metric() const {
        return space_.metric;
    }
    std::size_t
    n_dims() const {
        return space_.n_dims;
    }
    /// The value that prepare() takes, as it lies there.
    std::span<const float>
    value_at(const float* values) const {
        const bool is_sparse = kind_ == CodecKind::kSparse;
        return {values, is_sparse ? packed_sparse_size(unpack_sparse(values).size())
                                  : core::n_values(kind_, space_.n_dims)};
    }
    /// The floats of any_value().
    std::size_t
    n_any_values() const {
        return kind_ == CodecKind::kSparse ? packed_sparse_size(1)
                                           : core::n_values(kind_, space_.n_dims);
    }
    /// Writes a value that has a direction.
    void any_value(float* values) const;
    /// What dims_of() must be of a value that comes to the codec.
    std::size_t
    expected_dims() const {
        return kind_ == CodecKind::kSparse ? space_.n_dims : core::n_values(kind_, space_.n_dims);
    }
    /// Dimensions; of a bit string its floats.
    std::size_t
    dims_of(std::span<const float> value) const {
        return kind_ == CodecKind::kSparse
                   ? static_cast<std::size_t>(unpack_sparse(value.data()).n_dims)
                   : value.size();
    }
    /// Dimensions of a prepared vector and of a code; for `bits` the floats of a value, for
    /// `sparse` those that decode() writes.
    std::size_t
    n_padded() const {
        return space_.n_padded;
    }
    /// That a code of `sparse` has room for.
    std::size_t
    n_entries() const {
        return space_.n_entries;
    }
    std::size_t code_bytes() const;
    /// Bytes of a cold record's payload; 0 for the kinds without a cold tier.
    std::size_t residual_bytes() const;
    /// Whether CodeHeader::error must be stored.
    bool has_inline_error() const;

    Prepared allocate_prepared(Arena& arena) const;
    Query allocate_query(Arena& arena) const;
    /// What allocate_query() takes from its arena.
    std::size_t query_bytes() const;

    /// A sparse vector lives at least as long as `prepared` is used, and the query made of it.
    PrepareStatus prepare(const float* vector, Prepared& prepared) const;

    /// What prepare() says of the vector, told from its norm alone where that is enough. kReady is
    /// true with any centroid whose squared norm is at most kMostCentroidNorm; for a vector that is
    /// too long for some of these it is kOverflow. (A build knows its centroid and takes such a
    /// one.)
    PrepareStatus judge(const float* vector, Prepared& scratch) const;

    /// Writes all of header, code and residual (null where residual_bytes() is 0).
    /// Requires: the vector was kReady.
    void encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
                std::uint8_t* residual) const;

    /// Makes a query of a vector that was kReady or kOverflow.
    void prepare_query(const Prepared& prepared, Query& query) const;

    /// Makes a query of a code, good for distance() and estimate_error() only.
    void query_from_code(const CodeHeader& header, const std::uint8_t* code, Query& query) const;

    /// Estimates the distance from header and code alone, in internal units: an estimated square
    /// can be below zero. What is not finite becomes +infinity, also for garbage in header and code
    /// (reads beside a writer).
    float distance(const Query& query, const CodeHeader& header, const std::uint8_t* code) const;

    /// distance() of each of the `which` of `codes`.
    void distances(const Query& query, std::span<const CodeRef> codes,
                   std::span<const std::uint32_t> which, float* distances) const;

    /// About 3 standard errors of distance(); not a strict bound.
    float estimate_error(const Query& query, const CodeHeader& header) const;

    /// The distance from code and residual, or from the code with a float32 query where there is no
    /// residual.
    Refined refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
                   const std::uint8_t* residual) const;

    /// What code and residual (may be null) say of the prepared vector; n_padded floats. Of
    /// `sparse` its entries summed up in so many places, each with a sign of its own.
    void decode(const CodeHeader& header, const std::uint8_t* code, const std::uint8_t* residual,
                float* values) const;

    /// Null when a code, wherever it came from, is one that encode() may have written; else what is
    /// wrong with it. Looks at codes of `sparse` alone: any bytes are sound ones of the others.
    const char* check(const CodeHeader& header, const std::uint8_t* code) const;

   private:
    CodecKind kind_;
    const internal::CodecOperations* operations_;
    CodecSpace space_;
};

static_assert(std::is_trivially_destructible_v<Codec>);

}  // namespace vext::core
