// One table of functions per codec model.

#include "core/codec/codec.h"

#include <algorithm>
#include <cmath>

#include "core/codec/models.h"
#include "core/distance/dispatch.h"

namespace vext::core {
namespace internal {

struct CodecOperations {
    bool has_inline_error;
    std::size_t (*code_bytes)(const CodecSpace&);
    std::size_t (*residual_bytes)(const CodecSpace&);
    PrepareStatus (*prepare)(const CodecSpace&, const float*, Prepared&);
    void (*encode)(const CodecSpace&, const Prepared&, CodeHeader&, std::uint8_t*, std::uint8_t*);
    void (*prepare_query)(const CodecSpace&, const Prepared&, Query&);
    void (*query_from_code)(const CodecSpace&, const CodeHeader&, const std::uint8_t*, Query&);
    float (*distance)(const CodecSpace&, const Query&, const CodeHeader&, const std::uint8_t*);
    void (*distances)(const CodecSpace&, const Query&, std::span<const CodeRef>,
                      std::span<const std::uint32_t>, float*);
    float (*estimate_error)(const CodecSpace&, const Query&, const CodeHeader&);
    Refined (*refine)(const CodecSpace&, const Query&, const CodeHeader&, const std::uint8_t*,
                      const std::uint8_t*);
    void (*decode)(const CodecSpace&, const CodeHeader&, const std::uint8_t*, const std::uint8_t*,
                   float*);
};

namespace {

/// Floats of a prepared vector, and of what decode() writes.
std::size_t
n_padded_of(CodecKind kind, std::size_t n_dims) {
    return kind == CodecKind::kSparse ? SparseCodec::kFoldedDims : n_values(kind, n_dims);
}

/// `function`, a member of Model, as a function of the space it works in.
template <typename Model, auto function>
struct InSpace {
    template <typename... Args>
    static auto
    call(const CodecSpace& space, Args... args) {
        return (Model(space).*function)(static_cast<Args>(args)...);
    }
};

template <CodecModel Model>
void
measure_each(const CodecSpace& space, const Query& query, std::span<const CodeRef> codes,
             std::span<const std::uint32_t> which, float* distances) {
    const Model model(space);
    for (const std::uint32_t i : which)
        *distances++ = model.distance(query, codes[i].header, codes[i].code);
}

template <CodecModel Model>
constexpr CodecOperations kOperations = {
    .has_inline_error = Model::kHasInlineError,
    .code_bytes = InSpace<Model, &Model::code_bytes>::call,
    .residual_bytes = InSpace<Model, &Model::residual_bytes>::call,
    .prepare = InSpace<Model, &Model::prepare>::call,
    .encode = InSpace<Model, &Model::encode>::call,
    .prepare_query = InSpace<Model, &Model::prepare_query>::call,
    .query_from_code = InSpace<Model, &Model::query_from_code>::call,
    .distance = InSpace<Model, &Model::distance>::call,
    .distances = measure_each<Model>,
    .estimate_error = InSpace<Model, &Model::estimate_error>::call,
    .refine = InSpace<Model, &Model::refine>::call,
    .decode = InSpace<Model, &Model::decode>::call,
};

const CodecOperations&
operations_of(CodecKind kind) {
    switch (kind) {
        case CodecKind::kExact:
            return kOperations<ExactCodec>;
        case CodecKind::kScalar8:
            return kOperations<ScalarCodec<8>>;
        case CodecKind::kScalar4:
            return kOperations<ScalarCodec<4>>;
        case CodecKind::kBits:
            return kOperations<BitsCodec>;
        case CodecKind::kSparse:
            return kOperations<SparseCodec>;
        case CodecKind::kPlain8:
            break;
    }
    return kOperations<PlainCodec>;
}

}  // namespace
}  // namespace internal

CodecKind
codec_for(Metric metric, std::size_t n_dims) {
    if (is_of_bits(metric))
        return CodecKind::kBits;
    if (n_dims <= 32)
        return CodecKind::kExact;
    if (metric == Metric::kL1)
        return CodecKind::kPlain8;
    return n_dims <= 256 ? CodecKind::kScalar8 : CodecKind::kScalar4;
}

CodecSizes
codec_sizes(CodecKind kind, std::size_t n_dims, std::size_t n_entries) {
    const internal::CodecOperations& operations = internal::operations_of(kind);
    CodecSpace space = {};
    space.n_dims = n_dims;
    space.n_padded = is_rotated(kind) ? padded_dims(n_dims) : internal::n_padded_of(kind, n_dims);
    space.n_entries = n_entries;
    return {operations.code_bytes(space), operations.residual_bytes(space),
            operations.has_inline_error};
}

std::size_t
n_sparse_entries(std::size_t n_dims, std::size_t code_bytes) {
    const std::size_t empty = SparseCodec::code_bytes_for(n_dims, 0);
    const std::size_t entry = SparseCodec::code_bytes_for(n_dims, 1) - empty;
    if (code_bytes < empty || (code_bytes - empty) % entry != 0)
        return 0;
    const std::size_t n = (code_bytes - empty) / entry;
    return n <= kMostEntriesOfCode ? n : 0;
}

Codec::Codec(CodecKind kind, Metric metric, std::size_t n_dims, const float* centroid,
             const Rotation* rotation, std::size_t n_entries)
    : kind_(kind), operations_(&internal::operations_of(kind)) {
    const bool is_rotated = core::is_rotated(kind);
    const double squared_norm = is_rotated ? kernels().squared_norm(centroid, n_dims) : 0;
    space_ = {
        .n_dims = n_dims,
        .n_padded = is_rotated ? rotation->n_padded() : internal::n_padded_of(kind, n_dims),
        .metric = metric,
        .centroid = centroid,
        .rotation = rotation,
        .squared_norm_centroid = squared_norm,
        .norm_centroid = std::sqrt(squared_norm),
        .sum_error = 0,
        .n_entries = n_entries,
    };
    // Every kernel keeps at least eight sums, adds them up at the end, and rounds a few times
    // before it adds.
    space_.sum_error = (static_cast<double>(space_.n_padded) / 8 + 16) * kRounding;
}

std::size_t
Codec::code_bytes() const {
    return operations_->code_bytes(space_);
}

std::size_t
Codec::residual_bytes() const {
    return operations_->residual_bytes(space_);
}

bool
Codec::has_inline_error() const {
    return operations_->has_inline_error;
}

Prepared
Codec::allocate_prepared(Arena& arena) const {
    // Of a sparse vector, to tell its largest entries.
    const std::size_t n = kind_ == CodecKind::kSparse ? kMaxSparseEntries : n_padded();
    return {.values = arena.allocate<float>(n).data()};
}

Query
Codec::allocate_query(Arena& arena) const {
    if (kind_ == CodecKind::kSparse)
        return {.lookup = arena.make<SparseLookup>(arena, space_.n_entries)};
    Query query = {.values = arena.allocate<float>(n_padded()).data()};
    if (is_rotated(kind_))
        query.levels = arena.allocate<std::int8_t>(n_padded()).data();
    return query;
}

std::size_t
Codec::query_bytes() const {
    if (kind_ == CodecKind::kSparse)
        return sizeof(SparseLookup) + SparseLookup::bytes_needed(space_.n_entries);
    return n_padded() * (sizeof(float) + sizeof(std::int8_t)) + 2 * Arena::kAlignment;
}

void
Codec::any_value(float* values) const {
    if (kind_ == CodecKind::kSparse) {
        constexpr std::int32_t kIndex = 0;
        constexpr float kValue = 1;
        pack_sparse({static_cast<std::int32_t>(n_dims()), {&kIndex, 1}, {&kValue, 1}}, values);
        return;
    }
    std::fill_n(values, n_any_values(), 0.f);
    values[0] = 1;
}

PrepareStatus
Codec::prepare(const float* vector, Prepared& prepared) const {
    return operations_->prepare(space_, vector, prepared);
}

PrepareStatus
Codec::judge(const float* vector, Prepared& scratch) const {
    if (!is_rotated(kind_))
        return prepare(vector, scratch);
    const double squared_norm = kernels().squared_norm(vector, n_dims());
    if (metric() == Metric::kCosine) {
        if (squared_norm == 0)
            return PrepareStatus::kZeroVector;
        return squared_norm <= kMaxFloat ? PrepareStatus::kReady : PrepareStatus::kOverflow;
    }
    // Measured from the other side it is longer by the centroid's norm; as much again is for
    // roundings.
    const double most = std::sqrt(kMaxFloat) - 2 * std::sqrt(kMostCentroidNorm);
    return squared_norm <= most * most ? PrepareStatus::kReady : PrepareStatus::kOverflow;
}

void
Codec::encode(const Prepared& prepared, CodeHeader& header, std::uint8_t* code,
              std::uint8_t* residual) const {
    operations_->encode(space_, prepared, header, code, residual);
}

void
Codec::prepare_query(const Prepared& prepared, Query& query) const {
    operations_->prepare_query(space_, prepared, query);
}

void
Codec::query_from_code(const CodeHeader& header, const std::uint8_t* code, Query& query) const {
    operations_->query_from_code(space_, header, code, query);
}

float
Codec::distance(const Query& query, const CodeHeader& header, const std::uint8_t* code) const {
    return operations_->distance(space_, query, header, code);
}

void
Codec::distances(const Query& query, std::span<const CodeRef> codes,
                 std::span<const std::uint32_t> which, float* distances) const {
    operations_->distances(space_, query, codes, which, distances);
}

float
Codec::estimate_error(const Query& query, const CodeHeader& header) const {
    return operations_->estimate_error(space_, query, header);
}

Refined
Codec::refine(const Query& query, const CodeHeader& header, const std::uint8_t* code,
              const std::uint8_t* residual) const {
    return operations_->refine(space_, query, header, code, residual);
}

void
Codec::decode(const CodeHeader& header, const std::uint8_t* code, const std::uint8_t* residual,
              float* values) const {
    operations_->decode(space_, header, code, residual, values);
}

const char*
Codec::check(const CodeHeader& header, const std::uint8_t* code) const {
    return kind_ == CodecKind::kSparse ? SparseCodec(space_).check(header, code) : nullptr;
}

}  // namespace vext::core
