// Functions that SQL can call.

#pragma once

#include "pg/server.h"

/// Makes a symbol visible outside the module: everything is compiled hidden, and PostgreSQL 15's
/// own marker is empty. The linker's export list (exports.map) must name the symbol too.
#define VEXT_EXPORT __attribute__((visibility("default")))

/// Heads the definition of the SQL-callable function whose C symbol is `vext_<name>`, and defines
/// the record by which the server learns its calling convention.
#define VEXT_FUNCTION(name)                                                   \
    extern "C" VEXT_EXPORT const Pg_finfo_record* pg_finfo_vext_##name(void); \
    extern "C" VEXT_EXPORT Datum vext_##name(FunctionCallInfo fcinfo);        \
    extern "C" const Pg_finfo_record* pg_finfo_vext_##name(void) {            \
        static constexpr Pg_finfo_record record = {1};                        \
        return &record;                                                       \
    }                                                                         \
    extern "C" Datum vext_##name(FunctionCallInfo fcinfo)

/// Defines the SQL-callable function of a function of FunctionCallInfo, such as an instance of a
/// template.
#define VEXT_FUNCTION_AS(name, function) \
    VEXT_FUNCTION(name) {                \
        return function(fcinfo);         \
    }                                    \
    static_assert(true)
