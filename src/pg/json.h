// JSON objects given as jsonb.

#pragma once

#include <string_view>

#include "pg/server.h"

extern "C" {
#include "utils/jsonb.h"
}

namespace vext::pg {

/// Calls `body(key, value)` for each member of an object, in the order of jsonb. Requires: it is an
/// object.
template <typename Body>
void
for_each_member(Jsonb* object, const Body& body) {
    JsonbIterator* iterator = JsonbIteratorInit(&object->root);
    JsonbValue value;
    std::string_view key;
    for (JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, true); token != WJB_DONE;
         token = JsonbIteratorNext(&iterator, &value, true)) {
        if (token == WJB_KEY)
            key = {value.val.string.val, static_cast<std::size_t>(value.val.string.len)};
        else if (token == WJB_VALUE)
            body(key, static_cast<const JsonbValue&>(value));
    }
}

/// Calls `body(value)` for each element of an array in turn; an array or object within it comes as
/// one value. Requires: it is an array.
template <typename Body>
void
for_each_element(Jsonb* array, const Body& body) {
    JsonbIterator* iterator = JsonbIteratorInit(&array->root);
    JsonbValue value;
    for (JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, true); token != WJB_DONE;
         token = JsonbIteratorNext(&iterator, &value, true))
        if (token == WJB_ELEM)
            body(static_cast<const JsonbValue&>(value));
}

/// A value as JSON text.
inline const char*
json_text(const JsonbValue& value) {
    JsonbValue copy = value;
    Jsonb* json = JsonbValueToJsonb(&copy);
    return JsonbToCString(nullptr, &json->root, VARSIZE(json));
}

}  // namespace vext::pg
