// Keeping a toasted argument that does not change.

#include "types/call_memory.h"

#include <cstring>

#include "pg/memory.h"
#include "pg/toast.h"

namespace vext::types {

Datum
KeptArgument::look_up_toasted(Datum datum, MemoryContext context) {
    auto* stored = reinterpret_cast<varlena*>(DatumGetPointer(datum));
    const varatt_external value = pg::toast_pointer(stored);
    if (std::memcmp(&value, &last_, sizeof value) != 0) {
        last_ = value;
        if (copy_ != nullptr)
            pfree(copy_);
        copy_ = nullptr;
        return datum;
    }
    if (copy_ == nullptr)
        copy_ = pg::in_context(context, [&] { return pg_detoast_datum(stored); });
    return PointerGetDatum(copy_);
}

}  // namespace vext::types
