// What the server tells of objects that are being created.

#pragma once

#include "pg/compat.h"

extern "C" {
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/relcache.h"
}

namespace vext::pg {

/// Calls `body(relation)` if what is being created is a relation, which the catalogue does not show
/// yet.
template <typename Body>
void
with_new_relation(ObjectAccessType access, Oid class_of, Oid object, int column, const Body& body) {
    if (access != OAT_POST_CREATE || class_of != RelationRelationId || column != 0)
        return;
    if (const Relation relation = RelationIdGetRelation(object); RelationIsValid(relation)) {
        body(relation);
        RelationClose(relation);
    }
}

/// Whether a new relation has the file of another one, as an index whose column has another type
/// with the same values.
inline bool
has_taken_file(Relation relation) {
    return !IsBinaryUpgrade && file_number(file_locator(relation)) != RelationGetRelid(relation);
}

}  // namespace vext::pg
