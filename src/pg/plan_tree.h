// The planner's paths and the executor's plan trees, as hooks see them.

#pragma once

#include "pg/compat.h"
#include "pg/server.h"

extern "C" {
#include "access/parallel.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "utils/spccache.h"
}

namespace vext::pg {

/// Whether an aggregate of the node is computed from rows in the order in which they come.
inline bool
has_presorted_aggregate(const AggState* node) {
    ListCell* cell = nullptr;
    foreach (cell, node->aggs)
        if (is_presorted(lfirst_node(Aggref, cell)))
            return true;
    return false;
}

/// Calls `visit` with each node that gives rows to this one from a list of its own: those that are
/// neither its outer nor its inner one.
template <typename Visit>
void
for_each_member(PlanState* node, const Visit& visit) {
    const auto visit_all = [&](PlanState** members, int n) {
        for (int i = 0; i < n; ++i)
            visit(members[i]);
    };
    switch (nodeTag(node)) {
        case T_AppendState: {
            auto* append = reinterpret_cast<AppendState*>(node);
            return visit_all(append->appendplans, append->as_nplans);
        }
        case T_MergeAppendState: {
            auto* append = reinterpret_cast<MergeAppendState*>(node);
            return visit_all(append->mergeplans, append->ms_nplans);
        }
        case T_SubqueryScanState:
            return visit(reinterpret_cast<SubqueryScanState*>(node)->subplan);
        case T_CustomScanState: {
            ListCell* cell = nullptr;
            foreach (cell, reinterpret_cast<CustomScanState*>(node)->custom_ps)
                visit(static_cast<PlanState*>(lfirst(cell)));
            return;
        }
        default:
            return;
    }
}

}  // namespace vext::pg
