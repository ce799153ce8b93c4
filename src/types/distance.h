// The distance functions that operator classes name, ours and those that others may make, so that
// an index can tell which one it was given.

#pragma once

#include "pg/function.h"

extern "C" {
Datum vext_l2_distance(FunctionCallInfo fcinfo);
Datum vext_cosine_distance(FunctionCallInfo fcinfo);
Datum vext_halfvec_l2_distance(FunctionCallInfo fcinfo);
Datum vext_halfvec_cosine_distance(FunctionCallInfo fcinfo);
Datum vext_sparsevec_l2_distance(FunctionCallInfo fcinfo);
Datum vext_sparsevec_cosine_distance(FunctionCallInfo fcinfo);
Datum vext_vector_l2_squared_distance(FunctionCallInfo fcinfo);
Datum vext_vector_negative_inner_product(FunctionCallInfo fcinfo);
Datum vext_l1_distance(FunctionCallInfo fcinfo);
Datum vext_halfvec_l2_squared_distance(FunctionCallInfo fcinfo);
Datum vext_halfvec_negative_inner_product(FunctionCallInfo fcinfo);
Datum vext_halfvec_l1_distance(FunctionCallInfo fcinfo);
Datum vext_hamming_distance(FunctionCallInfo fcinfo);
Datum vext_jaccard_distance(FunctionCallInfo fcinfo);
Datum vext_sparsevec_l2_squared_distance(FunctionCallInfo fcinfo);
Datum vext_sparsevec_negative_inner_product(FunctionCallInfo fcinfo);
Datum vext_sparsevec_l1_distance(FunctionCallInfo fcinfo);
}
