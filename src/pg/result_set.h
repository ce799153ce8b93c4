// Functions that return rows.

#pragma once

#include "pg/server.h"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/tuplestore.h"
}

namespace vext::pg {

/// A number of bytes as pg_size_pretty shows it, in the current memory context.
inline const char*
pretty_size(std::uint64_t n_bytes) {
    return TextDatumGetCString(
        DirectFunctionCall1(pg_size_pretty, Int64GetDatum(static_cast<int64>(n_bytes))));
}

/// Collects the rows of a set-returning function; the function then returns NULL.
class ResultSet {
   public:
    explicit ResultSet(FunctionCallInfo call) {
        InitMaterializedSRF(call, 0);
        result_ = reinterpret_cast<ReturnSetInfo*>(call->resultinfo);
    }

    void
    add(const Datum* values, const bool* is_null) const {
        // The server only reads them, though its older versions do not say so.
        tuplestore_putvalues(result_->setResult, result_->setDesc, const_cast<Datum*>(values),
                             const_cast<bool*>(is_null));
    }

   private:
    ReturnSetInfo* result_;
};

}  // namespace vext::pg
