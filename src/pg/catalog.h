// Looking up relations and rights.

#pragma once

#include "pg/server.h"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace vext::pg {

/// Opens an index with AccessShareLock. Raises 42809 unless it is one of a kind, called `kind` in
/// messages, and no partitioned one, which has no file.
inline Relation
open_index(Oid oid, bool (*is_of_kind)(Relation), const char* kind) {
    const Relation relation = relation_open(oid, AccessShareLock);
    if (relation->rd_rel->relkind == RELKIND_PARTITIONED_INDEX && is_of_kind(relation))
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
                errmsg("index \"%s\" is partitioned", RelationGetRelationName(relation)),
                errhint("Name the index of a partition; pg_partition_tree('%s') lists them.",
                        RelationGetRelationName(relation)));
    if (relation->rd_rel->relkind != RELKIND_INDEX || !is_of_kind(relation))
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
                errmsg("\"%s\" is not an %s index", RelationGetRelationName(relation), kind));
    return relation;
}

/// Whether a table or an index is a partition of another one, at any depth.
inline bool
is_partition_of(Oid relation, Oid whole) {
    return get_rel_relispartition(relation) &&
           list_member_oid(get_partition_ancestors(relation), whole);
}

/// Whether this server has the relation's file, which a standby lacks of what is not in the WAL.
inline bool
has_file_here(Relation relation) {
    return relation->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT || !RecoveryInProgress();
}

/// Raises 42501 unless the user may SELECT from the table.
inline void
check_may_select(Oid table) {
    const AclResult result = pg_class_aclcheck(table, GetUserId(), ACL_SELECT);
    if (result != ACLCHECK_OK)
        aclcheck_error(result, OBJECT_TABLE, get_rel_name(table));
}

}  // namespace vext::pg
