// The module as the server loads it: magic block, settings, choice of kernels.

#include "core/distance/dispatch.h"
#include "hnsw/gather/flush_points.h"
#include "hnsw/gather/load_progress.h"
#include "hnsw/options.h"
#include "hnsw/pages/column.h"
#include "hnsw/scan/plan_hooks.h"
#include "pg/function.h"
#include "pg/setting.h"

extern "C" {
VEXT_EXPORT const Pg_magic_struct* PG_MAGIC_FUNCTION_NAME(void);
VEXT_EXPORT void _PG_init(void);

PG_MODULE_MAGIC;
}

namespace vext {

namespace {

using core::SimdLevel;

constinit int simd_setting = static_cast<int>(SimdLevel::kAuto);

// Indexed by SimdLevel.
constexpr config_enum_entry kSimdLevels[] = {
    {"auto", static_cast<int>(SimdLevel::kAuto), false},
    {"scalar", static_cast<int>(SimdLevel::kScalar), false},
    {"avx2", static_cast<int>(SimdLevel::kAvx2), false},
    {"avx512", static_cast<int>(SimdLevel::kAvx512), false},
    {"neon", static_cast<int>(SimdLevel::kNeon), false},
    {nullptr, 0, false},
};

bool
check_simd(int* level, void** extra, GucSource source) {
    const auto wanted = static_cast<SimdLevel>(*level);
    if (core::is_supported(wanted))
        return true;
    const char* best = core::kernels_of(SimdLevel::kAuto).name;
    GUC_check_errcode(ERRCODE_INVALID_PARAMETER_VALUE);
    GUC_check_errmsg("SIMD level \"%s\" is not available on this machine",
                     kSimdLevels[*level].name);
    GUC_check_errhint("The best level of this machine is \"%s\", which \"auto\" selects.", best);
    return false;
}

void
assign_simd(int level, void* extra) {
    core::select_simd_level(static_cast<SimdLevel>(level));
}

const char*
show_simd() {
    return core::kernels().name;
}

}  // namespace

}  // namespace vext

// Where the settings are another module's, no index can be used, and types work with the best
// kernels.
void
_PG_init(void) {
    if (!vext::hnsw::define_settings()) {
        vext::core::select_simd_level(vext::core::SimdLevel::kAuto);
        return;
    }
    // Defining the setting assigns its first value, which selects the kernels.
    DefineCustomEnumVariable("vector_ext.simd",
                             "CPU instructions that distances are computed with.",
                             "SHOW gives the level in effect; auto is the best one available.",
                             &vext::simd_setting, vext::simd_setting, vext::kSimdLevels,
                             PGC_USERSET, 0, vext::check_simd, vext::assign_simd, vext::show_simd);
    vext::hnsw::install_flush_points();
    vext::hnsw::install_load_progress();
    vext::hnsw::install_plan_hooks();
    vext::hnsw::install_column_guard();
    MarkGUCPrefixReserved("vector_ext");
}
