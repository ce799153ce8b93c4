// Texts in the encoding of the database.

#pragma once

#include <string_view>

#include "pg/server.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace vext::pg {

/// A text as a message shows it: at most so many bytes, cut between characters, and three dots
/// where it was longer. In the current memory context.
inline const char*
shortened(std::string_view text, int n_most) {
    const int n_bytes = static_cast<int>(text.size());
    if (n_bytes <= n_most)
        return pnstrdup(text.data(), n_bytes);
    return psprintf("%.*s...", pg_mbcliplen(text.data(), n_bytes, n_most), text.data());
}

}  // namespace vext::pg
