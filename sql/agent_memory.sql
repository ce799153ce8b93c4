-- The worked example of sql/examples/agent_memory.sql, and the indexes that it leaves.
\getenv abs_srcdir PG_ABS_SRCDIR
\set example :abs_srcdir '/sql/examples/agent_memory.sql'
SET client_min_messages = warning;
\i :example

SELECT * FROM hnsw_check('memory_entries_embedding', true);
SELECT * FROM hnsw_check('patterns_embedding', true);
SELECT * FROM hnsw_check('trajectories_state', true);
DROP TABLE memory_entries, patterns, pattern_rejects, trajectories;
