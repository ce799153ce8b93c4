// The server's base headers, made fit for C++; every other header of the kit starts from this one.
//
// 1. The standard headers that the server's headers reach come first: inside `extern "C"` their
//    templates would not compile.
// 2. The server renames the printf family by macro; the names are given back, because standard
//    headers included later declare them.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wregister"
#pragma GCC diagnostic ignored "-Wsign-compare"

extern "C" {
#include "postgres.h"

#include "fmgr.h"
}

#pragma GCC diagnostic pop

#undef vsnprintf
#undef snprintf
#undef vsprintf
#undef sprintf
#undef vfprintf
#undef fprintf
#undef vprintf
#undef printf
#undef strerror
#undef strerror_r
