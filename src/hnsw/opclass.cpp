// See opclass.h.

#include "hnsw/opclass.h"

#include <cstring>

#include "core/codec/code.h"
#include "pg/catalog.h"
#include "pg/varbit.h"
#include "types/bit.h"
#include "types/checks.h"
#include "types/distance.h"
#include "types/sparsevec.h"
#include "types/sparsevec_checks.h"
#include "types/sums.h"

namespace vext::hnsw {

namespace {

constexpr int kDistanceSupport = 1;
constexpr int kNormSupport = 2;

enum class Element : std::uint8_t { kFloat, kHalf, kBit, kSparse };

struct OperatorClass {
    PGFunction distance;
    bool has_norm;
    core::Metric metric;
    Element element;
};

constexpr OperatorClass kOperatorClasses[] = {
    {vext_vector_l2_squared_distance, false, core::Metric::kL2, Element::kFloat},
    {vext_vector_negative_inner_product, false, core::Metric::kInnerProduct, Element::kFloat},
    {vext_vector_negative_inner_product, true, core::Metric::kCosine, Element::kFloat},
    {vext_l1_distance, false, core::Metric::kL1, Element::kFloat},
    {vext_halfvec_l2_squared_distance, false, core::Metric::kL2, Element::kHalf},
    {vext_halfvec_negative_inner_product, false, core::Metric::kInnerProduct, Element::kHalf},
    {vext_halfvec_negative_inner_product, true, core::Metric::kCosine, Element::kHalf},
    {vext_halfvec_l1_distance, false, core::Metric::kL1, Element::kHalf},
    {vext_hamming_distance, false, core::Metric::kHamming, Element::kBit},
    {vext_jaccard_distance, false, core::Metric::kJaccard, Element::kBit},
    {vext_sparsevec_l2_squared_distance, false, core::Metric::kL2, Element::kSparse},
    {vext_sparsevec_negative_inner_product, false, core::Metric::kInnerProduct, Element::kSparse},
    {vext_sparsevec_negative_inner_product, true, core::Metric::kCosine, Element::kSparse},
    {vext_sparsevec_l1_distance, false, core::Metric::kL1, Element::kSparse},
    // Of classes that others make: they order alike.
    {vext_l2_distance, false, core::Metric::kL2, Element::kFloat},
    {vext_cosine_distance, false, core::Metric::kCosine, Element::kFloat},
    {vext_halfvec_l2_distance, false, core::Metric::kL2, Element::kHalf},
    {vext_halfvec_cosine_distance, false, core::Metric::kCosine, Element::kHalf},
    {vext_sparsevec_l2_distance, false, core::Metric::kL2, Element::kSparse},
    {vext_sparsevec_cosine_distance, false, core::Metric::kCosine, Element::kSparse},
};

// Null for one that is not known.
const OperatorClass*
find_class(Relation index) {
    const PGFunction distance = index_getprocinfo(index, 1, kDistanceSupport)->fn_addr;
    const bool has_norm = OidIsValid(index_getprocid(index, 1, kNormSupport));
    for (const OperatorClass& known : kOperatorClasses)
        if (known.distance == distance && known.has_norm == has_norm)
            return &known;
    return nullptr;
}

const OperatorClass&
class_of(Relation index) {
    const OperatorClass* const known = find_class(index);
    if (known != nullptr)
        return *known;
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("distance function of operator class is not supported by hnsw"));
    pg_unreachable();
}

}  // namespace

core::Metric
metric_of(Relation index) {
    return class_of(index).metric;
}

bool
has_sparse_values(Relation index) {
    return class_of(index).element == Element::kSparse;
}

std::size_t
value_bytes(Relation index) {
    const OperatorClass* const known = find_class(index);
    const FormData_pg_attribute& attribute = *TupleDescAttr(RelationGetDescr(index), 0);
    int32 modifier = attribute.atttypmod;
    if (modifier == -1)
        (void)getBaseTypeAndTypmod(attribute.atttypid, &modifier);
    if (known == nullptr || modifier < 0)
        return 0;
    const auto n_dims = static_cast<std::size_t>(modifier);
    switch (known->element) {
        case Element::kFloat:
            return n_dims * sizeof(float);
        case Element::kHalf:
            return n_dims * sizeof(types::Half);
        case Element::kBit:
            return n_dims / 8;
        case Element::kSparse:
            break;
    }
    return 0;
}

void
check_query_dims(Relation index, std::size_t index_dims, std::size_t query_dims) {
    if (query_dims == index_dims)
        return;
    const Element element = class_of(index).element;
    if (element == Element::kBit)
        types::raise_different_bit_lengths(index_dims, query_dims);
    if (element == Element::kSparse)
        types::raise_different_sparse_dims(static_cast<std::int32_t>(index_dims),
                                           static_cast<std::int32_t>(query_dims));
    types::raise_different_dims(
        element == Element::kFloat ? types::kTypeName<float> : types::kTypeName<types::Half>,
        index_dims, query_dims);
}

IndexedValue::IndexedValue(Relation index, Datum datum) {
    switch (class_of(index).element) {
        case Element::kFloat:
            numbers_ = vector_.emplace(datum).values();
            n_dims_ = numbers_.size();
            break;
        case Element::kHalf:
            take_halves(datum);
            break;
        case Element::kBit:
            take_bits(datum);
            break;
        case Element::kSparse:
            take_sparse(datum);
            break;
    }
}

void
IndexedValue::take_halves(Datum datum) {
    types::Argument<types::Half> halves(datum);
    n_dims_ = halves.values().size();
    widened_ = static_cast<float*>(palloc(n_dims_ * sizeof(float)));
    types::widen(halves.values(), widened_);
    numbers_ = {widened_, n_dims_};
    halves.free_copy(datum);
}

void
IndexedValue::take_bits(Datum datum) {
    varlena* value = PG_DETOAST_DATUM_PACKED(datum);
    const pg::BitString bits = pg::bits_of(value);
    types::check_bit_string(bits);
    n_dims_ = bits.n_bits;
    const std::size_t n = core::n_values(core::CodecKind::kBits, n_dims_);
    widened_ = static_cast<float*>(palloc0(n * sizeof(float)));
    std::memcpy(widened_, bits.bytes.data(), bits.bytes.size());
    numbers_ = {widened_, n};
    if (value != reinterpret_cast<varlena*>(DatumGetPointer(datum)))
        pfree(value);
}

void
IndexedValue::take_sparse(Datum datum) {
    types::SparseArgument sparse(datum);
    const core::SparseView view = sparse.view();
    if (view.n_dims < 1 || view.size() > core::kMaxSparseEntries)
        types::SparseArgument::raise_corrupt();
    n_dims_ = static_cast<std::size_t>(view.n_dims);
    const std::size_t n = core::packed_sparse_size(view.size());
    widened_ = static_cast<float*>(palloc(n * sizeof(float)));
    core::pack_sparse(view, widened_);
    numbers_ = {widened_, n};
    sparse.free_copy(datum);
}

void
IndexedValue::free_copy(Datum datum) {
    if (widened_ != nullptr)
        pfree(widened_);
    else
        vector_->free_copy(datum);
}

}  // namespace vext::hnsw
