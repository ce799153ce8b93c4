-- A session remembers where blocks of an index were last seen, for a few indexes at a time. Using
-- more of them in turns must not use ever more memory.
CREATE FUNCTION search_in_turns(n_rounds integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found integer;
BEGIN
    FOR round IN 1 .. n_rounds LOOP
        FOR i IN 1 .. 20 LOOP
            EXECUTE format('SELECT id FROM hints_%s ORDER BY v <-> ''[1,2,3]'' LIMIT 1', i)
                INTO STRICT found;
            IF found <> i THEN
                RAISE EXCEPTION 'index % found row %', i, found;
            END IF;
        END LOOP;
    END LOOP;
    RETURN (SELECT used_bytes FROM pg_backend_memory_contexts WHERE name = 'TopMemoryContext');
END
$$;
DO $$
BEGIN
    FOR i IN 1 .. 20 LOOP
        EXECUTE format('CREATE TABLE hints_%s (id integer, v vector(3))', i);
        EXECUTE format('INSERT INTO hints_%1$s VALUES (%1$s, ''[1,2,3]''), (0, ''[3,2,1]'')', i);
        EXECUTE format('CREATE INDEX ON hints_%s USING hnsw (v vector_l2_ops)', i);
    END LOOP;
END
$$;
SET enable_seqscan = off;
SELECT search_in_turns(10) AS used \gset
SELECT search_in_turns(200) - :used < 100000 AS is_bounded;
DO $$
BEGIN
    FOR i IN 1 .. 20 LOOP
        EXECUTE format('DROP TABLE hints_%s', i);
    END LOOP;
END
$$;
DROP FUNCTION search_in_turns;
