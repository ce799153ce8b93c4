"""The three tables of an agent's memory."""

import psycopg

from base import Case
from vector_ext import agent_memory


class AgentMemory(Case):
    def setUp(self):
        super().setUp()
        agent_memory.create_tables(3)
        agent_memory.create_tables(3)  # makes what is missing: nothing

    def test_memory_entries(self):
        entry = {"namespace": "user", "key": "editor", "value": "vim", "metadata": {"source": "talk"},
                 "embedding": [1, 0, 0]}
        self.assertEqual(agent_memory.insert_memory_entries([entry]).inserted, 1)
        changed = {**entry, "value": "emacs"}
        self.assertEqual(agent_memory.insert_memory_entries([changed]).skipped, 1)
        self.assertEqual(self.value("SELECT value FROM memory_entries"), "vim")
        self.assertEqual(agent_memory.insert_memory_entries([changed], on_conflict="update").updated, 1)
        self.assertEqual(self.sql("SELECT value, metadata, updated_at > created_at "
                                  "FROM memory_entries"), [("emacs", {"source": "talk"}, True)])
        twice = [{**entry, "key": "shell", "value": value} for value in ("bash", "zsh")]
        stats = agent_memory.insert_memory_entries(twice, duplicates="last")
        self.assertEqual((stats.inserted, stats.skipped), (1, 1))
        with self.assertRaises(psycopg.errors.UniqueViolation):
            agent_memory.insert_memory_entries([entry], on_conflict="error")

    def test_patterns(self):
        pattern = {"name": "retry", "pattern_type": "recovery", "embedding": [0, 1, 0],
                   "confidence": 0.7, "usage_count": 4, "success_count": 3}
        agent_memory.insert_patterns([pattern])
        self.assertEqual(agent_memory.insert_patterns([pattern]).skipped, 1)
        stats = agent_memory.insert_patterns([{**pattern, "confidence": 0.6, "usage_count": 2}],
                                             on_conflict="update")
        self.assertEqual(stats.updated, 1)
        self.assertEqual(self.sql("SELECT usage_count, success_count, round(confidence::numeric, 1) "
                                  "FROM patterns"), [(6, 6, self.value("SELECT 0.7"))])
        with self.assertRaises(psycopg.errors.CheckViolation):
            agent_memory.insert_patterns([{**pattern, "name": "boast", "confidence": 1.5}])
        bare = {name: pattern[name] for name in ("name", "pattern_type", "embedding")}
        self.assertEqual(agent_memory.insert_patterns([bare], on_conflict="update").unchanged, 1)

    def test_trajectories(self):
        steps = [{"trajectory_id": "t-1", "step_number": number, "action": "act",
                  "state_embedding": [number, 0, 0], "reward": 0.5} for number in (1, 2)]
        self.assertEqual(agent_memory.insert_trajectories(steps).inserted, 2)
        steps.append({**steps[0], "step_number": 3, "reward": None})
        stats = agent_memory.insert_trajectories(steps)
        self.assertEqual((stats.inserted, stats.skipped), (1, 2))
        with self.assertRaises(psycopg.errors.CheckViolation):
            agent_memory.insert_trajectories([{**steps[0], "step_number": 0}])

    def test_schema_of_choice(self):
        self.sql('CREATE SCHEMA "Agent 1"')
        self.addCleanup(lambda: psycopg.connect(self.dsn, autocommit=True).execute(
            'DROP SCHEMA "Agent 1" CASCADE'))
        agent_memory.create_tables(4, schema="Agent 1", conn=self.conn)
        agent_memory.insert_trajectories(
            [{"trajectory_id": "t", "step_number": 1, "action": "a", "state_embedding": [1, 2, 3, 4]}],
            table='"Agent 1".trajectories')
        self.assertEqual(self.value('SELECT count(*) FROM "Agent 1".trajectories'), 1)
        for dimension in ("3", 2.0, True):
            with self.assertRaises(TypeError):
                agent_memory.create_tables(dimension)
        self.sql("DROP TABLE memory_entries")
        with self.assertRaises(psycopg.errors.InvalidParameterValue):
            agent_memory.create_tables(0)
