// When gathered rows are inserted: hooks into the server (../README.md, "Gathered rows").

#pragma once

namespace vext::hnsw {

/// Called once, when the module is loaded.
void install_flush_points();

}  // namespace vext::hnsw
