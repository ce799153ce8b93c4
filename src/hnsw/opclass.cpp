// See opclass.h.

#include "hnsw/opclass.h"

#include "types/distance.h"

namespace vext::hnsw {

namespace {

constexpr int kDistanceSupport = 1;
constexpr int kNormSupport = 2;

struct OperatorClass {
    PGFunction distance;
    bool has_norm;
    core::Metric metric;
};

constexpr OperatorClass kOperatorClasses[] = {
    {vext_vector_l2_squared_distance, false, core::Metric::kL2},
    {vext_vector_negative_inner_product, false, core::Metric::kInnerProduct},
    {vext_vector_negative_inner_product, true, core::Metric::kCosine},
    {vext_l1_distance, false, core::Metric::kL1},
};

}  // namespace

core::Metric
metric_of(Relation index) {
    const PGFunction distance = index_getprocinfo(index, 1, kDistanceSupport)->fn_addr;
    const bool has_norm = OidIsValid(index_getprocid(index, 1, kNormSupport));
    for (const OperatorClass& known : kOperatorClasses)
        if (known.distance == distance && known.has_norm == has_norm)
            return known.metric;
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("distance function of operator class is not supported by hnsw"));
    pg_unreachable();
}

}  // namespace vext::hnsw
