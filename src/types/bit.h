// What others need of bit strings: the checks of their distance functions.

#pragma once

#include <cstddef>

#include "pg/varbit.h"

namespace vext::types {

/// Raises XX001 unless the stored bytes are as many as the bits need.
void check_bit_string(const pg::BitString& bits);

[[noreturn]] void raise_different_bit_lengths(std::size_t a, std::size_t b);

}  // namespace vext::types
