// See opclass.h.

#include "hnsw/opclass.h"

#include "types/distance.h"
#include "types/sums.h"

namespace vext::hnsw {

namespace {

constexpr int kDistanceSupport = 1;
constexpr int kNormSupport = 2;

enum class Element : std::uint8_t { kFloat, kHalf };

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
};

const OperatorClass&
class_of(Relation index) {
    const PGFunction distance = index_getprocinfo(index, 1, kDistanceSupport)->fn_addr;
    const bool has_norm = OidIsValid(index_getprocid(index, 1, kNormSupport));
    for (const OperatorClass& known : kOperatorClasses)
        if (known.distance == distance && known.has_norm == has_norm)
            return known;
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("distance function of operator class is not supported by hnsw"));
    pg_unreachable();
}

}  // namespace

core::Metric
metric_of(Relation index) {
    return class_of(index).metric;
}

const char*
type_name_of(Relation index) {
    return class_of(index).element == Element::kFloat ? types::kTypeName<float>
                                                      : types::kTypeName<types::Half>;
}

IndexedValue::IndexedValue(Relation index, Datum datum) {
    if (class_of(index).element == Element::kFloat) {
        numbers_ = vector_.emplace(datum).values();
        return;
    }
    types::Argument<types::Half> halves(datum);
    const std::size_t n_dims = halves.values().size();
    widened_ = static_cast<float*>(palloc(n_dims * sizeof(float)));
    types::widen(halves.values(), widened_);
    numbers_ = {widened_, n_dims};
    halves.free_copy(datum);
}

void
IndexedValue::free_copy(Datum datum) {
    if (widened_ != nullptr)
        pfree(widened_);
    else
        vector_->free_copy(datum);
}

}  // namespace vext::hnsw
