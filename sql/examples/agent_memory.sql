-- The memory of an agent in three tables, loaded through stages.
--   psql -f sql/examples/agent_memory.sql
--
-- memory_entries  what the agent remembers, by namespace and key; the newest value counts
-- patterns        what worked, by name and type; every report adds to the counters
-- trajectories    what was done, by trajectory and step; a step that is there already stays
--
-- Each part is one transaction: a stage, a COPY into it in any format, one call that merges.

CREATE EXTENSION IF NOT EXISTS vector_ext;

CREATE TABLE memory_entries (
    namespace text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    embedding vector(8) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (namespace, key));
CREATE INDEX memory_entries_embedding ON memory_entries USING hnsw (embedding vector_cosine_ops);

CREATE TABLE patterns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    pattern_type text NOT NULL,
    embedding vector(8) NOT NULL,
    confidence real NOT NULL DEFAULT 0.5 CHECK (confidence BETWEEN 0 AND 1),
    usage_count bigint NOT NULL DEFAULT 0,
    success_count bigint NOT NULL DEFAULT 0,
    last_used timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, pattern_type));
CREATE INDEX patterns_embedding ON patterns USING hnsw (embedding vector_cosine_ops);

CREATE TABLE trajectories (
    trajectory_id text NOT NULL,
    step_number integer NOT NULL CHECK (step_number > 0),
    action text NOT NULL,
    state_embedding vector(8) NOT NULL,
    reward double precision,
    PRIMARY KEY (trajectory_id, step_number));
CREATE INDEX trajectories_state ON trajectories USING hnsw (state_embedding vector_l2_ops);

-- Memories. The stage has the columns that the file has; created_at keeps its default.
BEGIN;
SELECT vector_stage_for('memory_entries', 'memory_stage', '{namespace,key,value,metadata,embedding}');
\copy memory_stage FROM stdin
project	language	The project is written in C++.	{"source": "readme"}	[0.9,0.1,0,0,0.2,0,0,0.1]
project	build	It is built with make.	{"source": "readme"}	[0.8,0.3,0.1,0,0,0,0,0.1]
user	editor	The user prefers vim.	{}	[0,0.1,0.9,0.2,0,0.1,0,0]
\.
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('memory_entries', 'memory_stage', 'update', merge => '{"updated_at": "now"}');
COMMIT;

-- Later: one memory has changed, one is as it was, one is new, one is in the file twice (its last
-- line counts).
BEGIN;
SELECT vector_stage_for('memory_entries', 'memory_stage', '{namespace,key,value,metadata,embedding}');
\copy memory_stage FROM stdin
project	language	The project is written in C++20.	{"source": "readme"}	[0.9,0.2,0,0,0.2,0,0,0.1]
project	build	It is built with make.	{"source": "readme"}	[0.8,0.3,0.1,0,0,0,0,0.1]
user	shell	The user uses bash.	{}	[0,0.2,0.8,0.3,0,0,0,0]
user	shell	The user uses zsh.	{}	[0,0.2,0.8,0.4,0,0,0,0]
\.
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('memory_entries', 'memory_stage', 'update', duplicates => 'last',
                        merge => '{"updated_at": "now", "metadata": "concat"}');
COMMIT;
SELECT namespace, key, value, updated_at > created_at AS has_changed
FROM memory_entries ORDER BY namespace, key;

-- Patterns: counters are added up, the higher confidence stays. The key is not the primary key, so
-- it is named.
BEGIN;
SELECT vector_stage_for('patterns', 'pattern_stage',
                        '{name,pattern_type,embedding,confidence,usage_count,success_count}');
\copy pattern_stage FROM stdin WITH (FORMAT csv)
retry,recovery,"[0.1,0.9,0,0.3,0,0,0.2,0]",0.7,4,3
split,refactoring,"[0,0.2,0.1,0.9,0.1,0,0,0]",0.6,2,2
\.
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('patterns', 'pattern_stage', 'update', '{name,pattern_type}');
COMMIT;

-- Reports with mistakes: good rows are merged, every bad one is kept with its reason. A lenient
-- stage takes vectors as text, so that one that cannot be read does not end the COPY.
SELECT vector_rejects_table('pattern_rejects');
BEGIN;
SELECT vector_stage_for('patterns', 'pattern_stage',
                        '{name,pattern_type,embedding,confidence,usage_count,success_count}',
                        lenient => true);
\copy pattern_stage FROM stdin WITH (FORMAT csv)
retry,recovery,"[0.1,0.9,0,0.3,0,0,0.3,0]",0.65,6,5
merge,refactoring,"[0,0.3,0.1,0.8,0.2,0,0,0]",0.5,1,1
merge,recovery,"[0,0.3,0.1,0.8,oops]",0.5,1,1
cache,speed,"[0,0.3,0.1]",0.5,1,1
guess,,"[0,0,0,0,0,0,0,1]",0.5,1,0
boast,speed,"[0,0,0,0,0,0,1,1]",1.5,1,1
\.
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('patterns', 'pattern_stage', 'update', '{name,pattern_type}',
                        merge => '{"usage_count": "sum", "success_count": "sum",
                                   "confidence": "max", "last_used": "now"}',
                        reject_into => 'pattern_rejects', max_rejects => 10);
COMMIT;
SELECT name, pattern_type, confidence, usage_count, success_count
FROM patterns ORDER BY name, pattern_type;
SELECT source_row, key, sqlstate, message FROM pattern_rejects ORDER BY source_row;

-- Trajectories: sent again as a whole after every step, so what is there is skipped.
BEGIN;
SELECT vector_stage_for('trajectories', 'trajectory_stage');
\copy trajectory_stage FROM stdin
t-1	1	read	[1,0,0,0,0,0,0,0]	0
t-1	2	edit	[1,1,0,0,0,0,0,0]	0.5
\.
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('trajectories', 'trajectory_stage', 'skip');
TRUNCATE trajectory_stage;
\copy trajectory_stage FROM stdin
t-1	1	read	[1,0,0,0,0,0,0,0]	0
t-1	2	edit	[1,1,0,0,0,0,0,0]	0.5
t-1	3	test	[1,1,1,0,0,0,0,0]	1
\.
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('trajectories', 'trajectory_stage', 'skip');
COMMIT;

-- What the agent then asks.
SELECT namespace, key, value FROM memory_entries
ORDER BY embedding <=> '[0,0.1,0.9,0.3,0,0,0,0]' LIMIT 2;
SELECT name, pattern_type, success_count::real / usage_count AS success FROM patterns
WHERE usage_count > 0 ORDER BY embedding <=> '[0.1,0.8,0,0.3,0,0,0.3,0]' LIMIT 1;
SELECT trajectory_id, step_number, action FROM trajectories
ORDER BY state_embedding <-> '[1,1,1,0,0,0,0,0]' LIMIT 1;
