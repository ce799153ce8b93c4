// What an upsert does with columns, and how it writes.

#include <gtest/gtest.h>

#include "upsert.h"

namespace vext::bulk {
namespace {

using test::make_column;
using test::make_integer;
using test::make_key;
using test::make_text;
using test::make_vector;
using test::Planned;

TEST(UpsertPlan, UpdatesEveryGivenColumnOutsideTheKey) {
    Planned planned({make_key(make_integer("id")), make_integer("n"), make_text("t")});
    planned.columns[2].is_in_source = false;
    planned.decide(OnConflict::kUpdate);
    EXPECT_EQ(planned.fault.fault, Fault::kNone);
    EXPECT_EQ(planned.columns[0].rule, Rule::kNone);
    EXPECT_EQ(planned.columns[1].rule, Rule::kReplace);
    EXPECT_EQ(planned.columns[2].rule, Rule::kNone);
}

TEST(UpsertPlan, UpdatesNothingInOtherModes) {
    Planned planned({make_key(make_integer("id")), make_integer("n")});
    planned.decide(OnConflict::kSkip);
    EXPECT_EQ(planned.columns[1].rule, Rule::kNone);
}

TEST(UpsertPlan, RulesHoldAlsoForColumnsThatAreNotListed) {
    Planned planned({make_key(make_integer("id")), make_integer("n"), make_integer("m"),
                     make_integer("o"), make_integer("p")});
    const Text listed[] = {"m", "o"};
    const MergeRule rules[] = {{"n", Rule::kSum}, {"o", Rule::kKeep}};
    planned.options.has_update_columns = true;
    planned.options.update_columns = listed;
    planned.options.merge = rules;
    planned.decide(OnConflict::kUpdate);
    EXPECT_EQ(planned.columns[1].rule, Rule::kSum);
    EXPECT_EQ(planned.columns[2].rule, Rule::kReplace);
    EXPECT_EQ(planned.columns[3].rule, Rule::kNone);
    EXPECT_EQ(planned.columns[4].rule, Rule::kNone);
}

TEST(UpsertPlan, CastsWhatIsOfAnotherType) {
    Planned planned({make_integer("same"), make_integer("other"), make_column("n", "n", 'N'),
                     make_text("t"), make_vector("v", 3), make_text("of 3")});
    planned.columns[1].source_type.oid = 2;
    planned.columns[2].type.modifier = 5;
    planned.columns[2].type.full_name = "n(1)";
    planned.columns[3].type.modifier = 7;
    planned.columns[4].source_type.modifier = -1;
    planned.columns[5].type.modifier = 7;
    planned.columns[5].type.full_name = "t(3)";
    planned.columns[5].n_characters = 3;
    planned.decide();
    EXPECT_EQ(planned.columns[0].cast, "");
    EXPECT_FALSE(planned.columns[0].is_judged_late);
    EXPECT_EQ(planned.columns[1].cast, "pg_catalog.int4");
    EXPECT_EQ(planned.columns[2].cast, "n(1)");
    // A cast would cut a text where an assignment raises.
    EXPECT_EQ(planned.columns[3].cast, "");
    EXPECT_TRUE(planned.columns[3].is_judged_late);
    EXPECT_EQ(planned.columns[4].cast, "");
    EXPECT_FALSE(planned.columns[4].is_judged_late);
    EXPECT_EQ(planned.columns[4].n_dims, 3);
    // But for one whose length is judged before that.
    EXPECT_EQ(planned.columns[5].cast, "t(3)");
    EXPECT_FALSE(planned.columns[5].is_judged_late);
}

TEST(UpsertPlan, ReadsTextsAsVectors) {
    Planned planned({make_vector("v", 3)});
    planned.columns[0].source_type = make_text("").type;
    planned.columns[0].source_type.oid = 9;
    planned.decide();
    EXPECT_TRUE(planned.columns[0].is_parsed);
}

TEST(UpsertPlan, TakesNoKeyThatTheSourceLacksUnlessNeeded) {
    Planned without({make_key(make_integer("id")), make_integer("n")});
    without.columns[0].is_in_source = false;
    without.columns[0].has_default = true;
    without.decide(OnConflict::kError);
    EXPECT_EQ(without.fault.fault, Fault::kNone);
    EXPECT_EQ(without.columns[0].key_place, 0);

    Planned needed({make_key(make_integer("id")), make_integer("n")});
    needed.columns[0].is_in_source = false;
    needed.decide(OnConflict::kSkip);
    EXPECT_EQ(needed.fault.fault, Fault::kMissing);
    EXPECT_EQ(needed.fault.column, "id");
}

struct FaultCase {
    MergeRule rule;
    Fault fault;
};

TEST(UpsertPlan, FindsWhatIsWrongWithARule) {
    const FaultCase cases[] = {
        {{"id", Rule::kSum}, Fault::kKey},           {{"made", Rule::kSum}, Fault::kGenerated},
        {{"absent", Rule::kSum}, Fault::kMissing},   {{"absent", Rule::kNow}, Fault::kNone},
        {{"absent", Rule::kKeep}, Fault::kNone},     {{"nothing", Rule::kKeep}, Fault::kUnknown},
        {{"counted", Rule::kMax}, Fault::kGenerated}};
    for (const FaultCase& one : cases) {
        Planned planned({make_key(make_integer("id")), make_integer("made"), make_integer("absent"),
                         make_integer("counted")});
        planned.columns[1].is_generated = true;
        planned.columns[2].is_in_source = false;
        planned.columns[3].is_identity = planned.columns[3].is_always_identity = true;
        planned.options.merge = {&one.rule, 1};
        planned.decide(OnConflict::kUpdate);
        EXPECT_EQ(planned.fault.fault, one.fault) << one.rule.column;
    }
}

TEST(UpsertPlan, NeedsAColumn) {
    Planned planned({make_integer("n")});
    planned.columns[0].is_in_source = false;
    planned.decide();
    EXPECT_EQ(planned.fault.fault, Fault::kNothing);
}

TEST(UpsertPlan, ASimpleUpsertIsNeitherSplitNorSlow) {
    Planned planned({make_key(make_integer("id")), make_integer("n")});
    planned.options.has_rejects = true;
    const Ways ways = planned.decide(OnConflict::kUpdate).ways;
    EXPECT_FALSE(ways.is_split);
    EXPECT_FALSE(ways.is_slow);
    EXPECT_FALSE(ways.is_counted);
}

TEST(UpsertPlan, SplitsWhereANewRowWouldBeJudgedInPlaceOfTheOldOne) {
    auto is_split = [](auto change) {
        Planned planned({make_key(make_integer("id")), make_integer("n"), make_integer("m")});
        change(planned);
        const Ways ways = planned.decide(OnConflict::kUpdate).ways;
        EXPECT_EQ(ways.is_split, ways.is_counted);
        return ways.is_split;
    };
    EXPECT_TRUE(is_split([](Planned& p) { p.plan.target.has_insert_triggers = true; }));
    EXPECT_TRUE(is_split([](Planned& p) { p.plan.target.is_partitioned = true; }));
    EXPECT_TRUE(is_split([](Planned& p) { p.plan.target.may_read_xmax = false; }));
    EXPECT_TRUE(is_split([](Planned& p) {
        p.columns[1].is_required = true;
        p.columns[1].is_in_source = false;
    }));
    EXPECT_FALSE(is_split([](Planned& p) {
        p.columns[1].is_required = p.columns[1].has_default = true;
        p.columns[1].is_in_source = false;
    }));
    EXPECT_TRUE(is_split([](Planned& p) {
        p.columns[1].is_domain = true;
        p.columns[1].is_in_source = false;
    }));
    static const int places[] = {1};
    static const Check check = {"c", "n > 0", places};
    static const MergeRule rule = {"n", Rule::kSum};
    EXPECT_FALSE(is_split([](Planned& p) { p.plan.checks = {&check, 1}; }));
    EXPECT_TRUE(is_split([](Planned& p) {
        p.plan.checks = {&check, 1};
        p.options.merge = {&rule, 1};
    }));
    // Left out of the update, its old value stays.
    static const Text listed[] = {"m"};
    EXPECT_TRUE(is_split([](Planned& p) {
        p.plan.checks = {&check, 1};
        p.options.has_update_columns = true;
        p.options.update_columns = listed;
    }));
}

TEST(UpsertPlan, FindsBadRowsByWritingWhereTheServerAloneKnowsThem) {
    auto is_slow = [](auto change) {
        Planned planned({make_key(make_integer("id")), make_integer("n")});
        planned.options.has_rejects = true;
        change(planned);
        const Ways ways = planned.decide(OnConflict::kError).ways;
        EXPECT_NE(ways.is_slow, ways.is_guarded);
        return ways.is_slow;
    };
    EXPECT_FALSE(is_slow([](Planned&) {}));
    EXPECT_TRUE(is_slow([](Planned& p) { p.plan.target.is_unpredictable = true; }));
    EXPECT_TRUE(is_slow([](Planned& p) { p.columns[0].may_select = false; }));
    // Values that were cast are known; whether one fits an assignment is not.
    EXPECT_FALSE(is_slow([](Planned& p) { p.columns[1].source_type.oid = 2; }));
    EXPECT_TRUE(is_slow([](Planned& p) {
        p.columns[1].type.category = 'V';
        p.columns[1].type.modifier = 3;
        p.columns[1].source_type.oid = 2;
    }));
    EXPECT_TRUE(is_slow([](Planned& p) { p.columns[1].is_domain = true; }));
    static const Check whole = {"c", "items IS NOT NULL", {}, true};
    EXPECT_TRUE(is_slow([](Planned& p) { p.plan.checks = {&whole, 1}; }));
    static const ForeignKeyColumn pair = {1, "id", "OPERATOR(pg_catalog.=)"};
    static const ForeignKey known = {"f", "s.other", {&pair, 1}, false, true};
    static const ForeignKey hidden = {"f", "s.other", {&pair, 1}, false, false};
    EXPECT_FALSE(is_slow([](Planned& p) { p.plan.foreign_keys = {&known, 1}; }));
    EXPECT_TRUE(is_slow([](Planned& p) { p.plan.foreign_keys = {&hidden, 1}; }));
    EXPECT_FALSE(is_slow([](Planned& p) {
        p.plan.foreign_keys = {&hidden, 1};
        p.columns[1].is_in_source = false;
    }));
}

TEST(UpsertPlan, JudgesConstraintsOnDefaultsByTheDefaults) {
    static const int places[] = {1};
    Check check = {"c", "n > 0", places};
    Planned planned({make_key(make_integer("id")), make_integer("n")});
    planned.columns[1].is_in_source = false;
    planned.decide();
    EXPECT_EQ(where_judged(planned.plan, check), Judged::kNowhere);
    check.is_refusing_defaults = true;
    EXPECT_EQ(where_judged(planned.plan, check), Judged::kByServer);
}

}  // namespace
}  // namespace vext::bulk
