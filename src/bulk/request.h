// The arguments of vector_bulk_upsert.

#pragma once

#include <span>

#include "bulk/plan.h"
#include "core/arena.h"
#include "pg/function.h"

namespace vext::bulk {

/// The types whose values are vectors.
struct VectorTypes {
    Oid vector = InvalidOid;
    Oid halfvec = InvalidOid;
    Oid schema = InvalidOid;  ///< of both

    bool
    has(Oid type) const {
        return type == vector || type == halfvec;
    }
};

/// What the caller asks for. Arguments that SQL gives as NULL are told apart where they may not be.
struct Request {
    Options options;
    Oid target = InvalidOid;
    Oid source = InvalidOid;
    Oid rejects = InvalidOid;  ///< the table for bad rows
    bool has_key = false;
    std::span<const Text> key;
    int64 max_rejects = -1;
    Oid schema = InvalidOid;  ///< of the extension
    VectorTypes vector_types;
};

/// Reads the arguments of a call, and raises what is wrong with them taken by themselves.
Request read_request(core::Arena& arena, FunctionCallInfo fcinfo);

/// The elements of an array of names. Raises ERRCODE_NULL_VALUE_NOT_ALLOWED, naming the argument,
/// where one is NULL.
std::span<const Text> names_of(core::Arena& arena, Datum array, const char* argument);

/// The schema of the extension, as that of a function of it that was called; and the types that its
/// functions make of a text, which may be in another schema.
Oid schema_of_extension(FunctionCallInfo fcinfo);
VectorTypes vector_types_of(Oid schema);

}  // namespace vext::bulk
