// Functions that return rows.

#pragma once

#include "pg/server.h"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
}

namespace vext::pg {

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
