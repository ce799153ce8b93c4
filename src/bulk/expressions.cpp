#include "bulk/expressions.h"

#include <algorithm>

namespace vext::bulk {

namespace {

using core::concat;
using core::Separator;
using core::TextBuilder;

constexpr Text kNow = "pg_catalog.now()::";
constexpr Text kJoinTexts = "::pg_catalog.text OPERATOR(pg_catalog.||) ";

Text
old_and_new(core::Arena& arena, const Column& column, Text old_value, Text new_value) {
    const bool is_sum = column.rule == Rule::kSum;
    if (!is_sum && column.type.category == 'S')
        return concat(arena, old_value, kJoinTexts, new_value, "::pg_catalog.text");
    if (!is_sum && column.type.category == 'A')
        return concat(arena, "pg_catalog.array_cat(", old_value, ", ", new_value, ")");
    return concat(arena, old_value, " OPERATOR(", is_sum ? column.sum_schema : column.concat_schema,
                  is_sum ? ".+) " : ".||) ", new_value);
}

// The parts of the key in its order, each as `add` writes it: a column or an expression.
template <typename Add>
Text
key_list(core::Arena& arena, const Plan& plan, Text separator, const Add& add) {
    TextBuilder list(arena);
    Separator between(separator);
    const auto n_parts = static_cast<int>(plan.columns.size() + plan.target.key_expressions.size());
    for (int place = 1; place <= n_parts; ++place) {
        for (const Column& column : plan.columns)
            if (column.key_place == place) {
                list.add(between.next());
                add(list, column);
            }
        for (const KeyExpression& key : plan.target.key_expressions)
            if (key.place == place) {
                list.add(between.next());
                add(list, key);
            }
    }
    return list.text();
}

template <typename Is, typename Add>
Text
column_list(core::Arena& arena, const Plan& plan, const Is& is, const Add& add) {
    TextBuilder list(arena);
    Separator between(", ");
    for (const Column& column : plan.columns)
        if (is(column)) {
            list.add(between.next());
            add(list, column);
        }
    return list.text();
}

// What writes a part of the key, for either kind.
template <typename OfColumn, typename OfExpression>
struct Parts : OfColumn, OfExpression {
    Parts(OfColumn of_column, OfExpression of_expression)
        : OfColumn(of_column), OfExpression(of_expression) {}
    using OfColumn::operator();
    using OfExpression::operator();
};

// Where NULL counts as a value, two of them are equal.
void
add_equality(TextBuilder& list, const Column& column, Text left, Text right) {
    if (column.is_key_null_equal && !column.is_never_null)
        list.add("(", left, " ", column.key_equals, " ", right, column.key_collation, " OR (", left,
                 " IS NULL AND ", right, " IS NULL))");
    else
        list.add(left, " ", column.key_equals, " ", right, column.key_collation);
}

// As a part of the key is shown: NULL where it is one, as the server does, and not at all where it
// is a fault.
Text
shown(core::Arena& arena, const Plan& plan, Text value) {
    return plan.target.are_key_nulls_equal
               ? concat(arena, "COALESCE(", value, "::pg_catalog.text, 'null')")
               : concat(arena, value, "::pg_catalog.text");
}

Text
as_one_text(core::Arena& arena, Text list) {
    return list.empty() ? list : concat(arena, "pg_catalog.concat_ws(', ', ", list, ")");
}

}  // namespace

Text
literal(core::Arena& arena, Text text) {
    TextBuilder out(arena);
    // As a backslash means the same under every setting only there.
    if (std::find(text.begin(), text.end(), '\\') != text.end())
        out.add(" E");
    out.add("'");
    for (const char& c : text) {
        if (c == '\'' || c == '\\')
            out.add(Text(&c, 1));
        out.add(Text(&c, 1));
    }
    return out.add("'").text();
}

Text
value_of(core::Arena& arena, const Column& column) {
    if (column.cast.empty() || column.is_parsed)
        return concat(arena, "s.c", column.number);
    return concat(arena, "s.c", column.number, "::", column.cast);
}

Text
inserted_value(core::Arena& arena, const Column& column) {
    if (!column.is_supplied)
        return concat(arena, kNow, column.type.name);
    const Text value = value_of(arena, column);
    return column.sets_now ? concat(arena, "COALESCE(", value, ", ", kNow, column.type.name, ")")
                           : value;
}

Text
updated_value(core::Arena& arena, const Column& column, Given given) {
    const Text old_value = concat(arena, "t.", column.quoted);
    const bool is_compared = column.rule == Rule::kMax || column.rule == Rule::kMin;
    const Text new_value =
        given == Given::kExcluded
            ? concat(arena, "excluded.", column.quoted)
            : concat(arena, value_of(arena, column), is_compared ? column.collation : Text());
    switch (column.rule) {
        case Rule::kReplace:
            return new_value;
        case Rule::kNow:
            return concat(arena, kNow, column.type.name);
        case Rule::kMax:
            return concat(arena, "GREATEST(", old_value, ", ", new_value, ")");
        case Rule::kMin:
            return concat(arena, "LEAST(", old_value, ", ", new_value, ")");
        case Rule::kCoalesce:
            return concat(arena, "COALESCE(", new_value, ", ", old_value, ")");
        default:
            return concat(arena, "(CASE WHEN ", new_value, " IS NULL THEN ", old_value, " WHEN ",
                          old_value, " IS NULL THEN ", new_value, " ELSE ",
                          old_and_new(arena, column, old_value, new_value),
                          " END)::", column.type.name);
    }
}

Text
source_columns(core::Arena& arena, const Plan& plan) {
    return column_list(
        arena, plan, [](const Column& column) { return column.is_supplied; },
        [&](TextBuilder& list, const Column& column) {
            // A text that is to become a vector is read once; it stays to be shown.
            if (column.is_parsed)
                list.add("s.", column.quoted, " AS r", column.number, ", ", plan.extension,
                         column.try_parse, "(s.", column.quoted, ") AS c", column.number);
            else
                list.add("s.", column.quoted, " AS c", column.number);
        });
}

Text
inserted_names(core::Arena& arena, const Plan& plan) {
    return column_list(arena, plan, is_inserted,
                       [](TextBuilder& list, const Column& column) { list.add(column.quoted); });
}

Text
inserted_values(core::Arena& arena, const Plan& plan) {
    return column_list(arena, plan, is_inserted, [&](TextBuilder& list, const Column& column) {
        list.add(inserted_value(arena, column));
    });
}

Text
assignments(core::Arena& arena, const Plan& plan, Given given) {
    return column_list(
        arena, plan, [](const Column& column) { return column.rule != Rule::kNone; },
        [&](TextBuilder& list, const Column& column) {
            list.add(column.quoted, " = ", updated_value(arena, column, given));
        });
}

Text
change_condition(core::Arena& arena, const Plan& plan, Given given) {
    auto is_compared = [](const Column& column) {
        return column.rule != Rule::kNone && column.rule != Rule::kNow;
    };
    const Text before =
        column_list(arena, plan, is_compared, [](TextBuilder& list, const Column& column) {
            list.add("t.", column.quoted, "::", column.type.name);
        });
    if (before.empty())
        return before;
    const Text after =
        column_list(arena, plan, is_compared, [&](TextBuilder& list, const Column& column) {
            list.add("(", updated_value(arena, column, given), ")::", column.type.name);
        });
    return concat(arena, "ROW(", before, ")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(",
                  after, ")::pg_catalog.record");
}

Text
default_of(core::Arena& arena, const Column& column) {
    if (is_inserted(column))
        return inserted_value(arena, column);
    if (!column.default_value.empty())
        return column.default_value;
    return concat(arena, "NULL::", column.type.name);
}

Text
in_new_row(core::Arena& arena, const Plan& plan, const Expression& expression) {
    TextBuilder out(arena);
    Separator between(", ");
    out.add("(SELECT ", expression.of_row, " FROM (SELECT ");
    for (const int place : expression.columns)
        out.add(between.next(), default_of(arena, plan.columns[place]), " AS ",
                plan.columns[place].quoted);
    return out.add(") r)").text();
}

Text
key_expression_of_source(core::Arena& arena, const Plan& plan, const KeyExpression& key) {
    return in_new_row(arena, plan, key.value);
}

Text
key_names(core::Arena& arena, const Plan& plan) {
    return key_list(
        arena, plan, ", ",
        Parts([](TextBuilder& list, const Column& column) { list.add(column.quoted); },
              [](TextBuilder& list, const KeyExpression& key) { list.add(key.value.plain); }));
}

Text
conflict_target(core::Arena& arena, const Plan& plan) {
    const Text list =
        key_list(arena, plan, ", ",
                 Parts([](TextBuilder& list, const Column& column) { list.add(column.quoted); },
                       [](TextBuilder& list, const KeyExpression& key) {
                           list.add("(", key.value.plain, ")");
                       }));
    const KeyPredicate& predicate = plan.target.key_predicate;
    return predicate.is_there ? concat(arena, "(", list, ") WHERE ", predicate.condition.plain)
                              : concat(arena, "(", list, ")");
}

Text
key_values(core::Arena& arena, const Plan& plan) {
    return key_list(arena, plan, ", ",
                    Parts(
                        [&](TextBuilder& list, const Column& column) {
                            list.add(value_of(arena, column), column.key_collation);
                        },
                        [&](TextBuilder& list, const KeyExpression& key) {
                            list.add(key_expression_of_source(arena, plan, key), key.collation);
                        }));
}

Text
key_groups(core::Arena& arena, const Plan& plan) {
    const KeyPredicate& predicate = plan.target.key_predicate;
    const Text values = key_values(arena, plan);
    if (!predicate.is_there || predicate.is_met_by_source)
        return values;
    return concat(arena, values, ", CASE WHEN ", in_new_row(arena, plan, predicate.condition),
                  " THEN 0 ELSE s.source_row END");
}

Text
key_text(core::Arena& arena, const Plan& plan) {
    return as_one_text(
        arena,
        key_list(arena, plan, ", ",
                 Parts(
                     [&](TextBuilder& list, const Column& column) {
                         list.add(shown(arena, plan, concat(arena, "s.c", column.number)));
                     },
                     [&](TextBuilder& list, const KeyExpression& key) {
                         list.add(shown(arena, plan, key_expression_of_source(arena, plan, key)));
                     })));
}

Text
key_text_of_source(core::Arena& arena, const Plan& plan) {
    TextBuilder list(arena);
    Separator between(", ");
    list.add(key_list(arena, plan, ", ",
                      Parts(
                          [&](TextBuilder& out, const Column& column) {
                              out.add(shown(arena, plan, concat(arena, "s.", column.quoted)));
                          },
                          [&](TextBuilder& out, const KeyExpression& key) {
                              Separator comma(", ");
                              for (const int place : key.value.columns)
                                  out.add(comma.next(),
                                          shown(arena, plan,
                                                concat(arena, "s.", plan.columns[place].quoted)));
                          })));
    return as_one_text(arena, list.text());
}

Text
key_matches(core::Arena& arena, const Plan& plan) {
    const Text keys =
        key_list(arena, plan, " AND ",
                 Parts(
                     [&](TextBuilder& list, const Column& column) {
                         add_equality(list, column, concat(arena, "t.", column.quoted),
                                      value_of(arena, column));
                     },
                     [&](TextBuilder& list, const KeyExpression& key) {
                         list.add(key.value.of_target, " ", key.equals, " ",
                                  key_expression_of_source(arena, plan, key), key.collation);
                     }));
    const KeyPredicate& predicate = plan.target.key_predicate;
    if (keys.empty() || !predicate.is_there)
        return keys;
    const Text of_target = concat(arena, keys, " AND (", predicate.condition.of_target, ")");
    return predicate.is_met_by_source
               ? of_target
               : concat(arena, of_target, " AND ", in_new_row(arena, plan, predicate.condition));
}

Text
is_without_match(core::Arena& arena, const Plan& plan) {
    for (const Column& column : plan.columns)
        if (column.key_place == 1 && !column.is_key_null_equal)
            return concat(arena, "t.", column.quoted, " IS NULL");
    return "t.ctid IS NULL";
}

Text
written_key_matches(core::Arena& arena, const Plan& plan) {
    return key_list(arena, plan, " AND ",
                    Parts(
                        [&](TextBuilder& list, const Column& column) {
                            add_equality(list, column, concat(arena, "w.k", column.number),
                                         value_of(arena, column));
                        },
                        [&](TextBuilder& list, const KeyExpression& key) {
                            list.add("w.e", key.place, " ", key.equals, " ",
                                     key_expression_of_source(arena, plan, key), key.collation);
                        }));
}

Text
written_key(core::Arena& arena, const Plan& plan) {
    return key_list(
        arena, plan, ", ",
        Parts([&](TextBuilder& list,
                  const Column& column) { list.add("t.", column.quoted, " AS k", column.number); },
              [&](TextBuilder& list, const KeyExpression& key) {
                  list.add(key.value.of_target, " AS e", key.place);
              }));
}

}  // namespace vext::bulk
