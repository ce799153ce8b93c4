// Distances between two bit strings of one length.

#include "types/bit.h"

#include "core/distance/dispatch.h"
#include "pg/function.h"
#include "pg/varbit.h"
#include "types/call_memory.h"

namespace vext::types {

namespace {

using pg::BitString;

/// Both arguments of a distance function; rows are taken to come in the first. Short headers, as
/// bit strings of up to some 900 bits have, are read where they are.
class Operands {
   public:
    explicit Operands(FunctionCallInfo fcinfo) : memory_(call_memory(fcinfo)) {
        a_ = argument(fcinfo, 0);
        b_ = argument(fcinfo, 1);
        if (likely(memory_ != nullptr))
            memory_->rows.pass(a_.bytes);
        if (unlikely(a_.n_bits != b_.n_bits))
            raise_different_bit_lengths(a_.n_bits, b_.n_bits);
    }

    const std::uint8_t*
    a() const {
        return a_.bytes.data();
    }
    const std::uint8_t*
    b() const {
        return b_.bytes.data();
    }
    std::size_t
    n_bytes() const {
        return a_.bytes.size();
    }

   private:
    BitString
    argument(FunctionCallInfo fcinfo, int i) {
        Datum datum = PG_GETARG_DATUM(i);
        if (likely(memory_ != nullptr))
            datum = memory_->arguments[i].look_up(datum, fcinfo->flinfo->fn_mcxt);
        const varlena* value = PG_DETOAST_DATUM_PACKED(datum);
        const BitString bits = pg::bits_of(value);
        check_bit_string(bits);
        return bits;
    }

    CallMemory* memory_;
    BitString a_;
    BitString b_;
};

static_assert(std::is_trivially_destructible_v<Operands>);

// The share of the bits set in either that are not set in both; 1 where none is set in both.
double
jaccard_distance(const Operands& operands) {
    const core::BitParts parts =
        core::bit_kernels().jaccard_parts(operands.a(), operands.b(), operands.n_bytes());
    if (parts.common == 0)
        return 1;
    return 1 - static_cast<double>(parts.common) / static_cast<double>(parts.either);
}

}  // namespace

void
check_bit_string(const pg::BitString& bits) {
    if (unlikely(bits.bytes.size() != (bits.n_bits + 7) / 8))
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("length of stored bit string does not match its bits")));
}

void
raise_different_bit_lengths(std::size_t a, std::size_t b) {
    ereport(ERROR,
            (errcode(ERRCODE_DATA_EXCEPTION), errmsg("different bit lengths %zu and %zu", a, b)));
}

VEXT_FUNCTION(hamming_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(static_cast<double>(
        core::bit_kernels().hamming(operands.a(), operands.b(), operands.n_bytes())));
}

VEXT_FUNCTION(jaccard_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(jaccard_distance(operands));
}

}  // namespace vext::types
