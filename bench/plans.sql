-- What bench/plans.py asks the server: each function runs a statement for every query vector and looks
-- at what comes. A statement has %1$L for the vector; `prepared`, where there is one, is made anew before.

-- The scans of a plan that read what is to be ordered: 'index' is one by distance, 'btree' one by
-- another index, 'seq' the rest.
CREATE FUNCTION kind_of_plan(plan text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN plan LIKE '%"Order By"%' THEN 'index'
                WHEN plan ~ '"Node Type": "(Bitmap Heap|Index|Index Only) Scan"' THEN 'btree'
                ELSE 'seq' END
$$;

CREATE FUNCTION apply_settings(settings json) RETURNS void LANGUAGE sql AS $$
    SELECT set_config(key, value, true) FROM json_each_text(settings)
$$;

CREATE FUNCTION prepare_anew(prepared text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'shape') THEN
        DEALLOCATE shape;
    END IF;
    IF prepared IS NOT NULL THEN
        EXECUTE prepared;
    END IF;
END $$;

-- The plan that is chosen for the first query, with its costs.
CREATE FUNCTION chosen_plan(statement text, prepared text, settings json) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    PERFORM apply_settings(settings), prepare_anew(prepared);
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || format(statement, (SELECT v FROM queries WHERE id = 1)) INTO plan;
    RETURN json_build_object('kind', kind_of_plan(plan::text), 'cost', plan->0->'Plan'->'Total Cost');
END $$;

-- The time of a statement's execution in milliseconds: of the queries the median, of each one the
-- best of `n_turns`; beside it all the rows' ids, query by query.
CREATE FUNCTION measured_plan(statement text, prepared text, settings json, n_queries int, n_turns int)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    query record;
    found record;
    plan json;
    best double precision;
    times double precision[] := '{}';
    ids json[] := '{}';
    ids_of_one bigint[];
BEGIN
    PERFORM apply_settings(settings), prepare_anew(prepared);
    FOR query IN SELECT v FROM queries WHERE id <= n_queries ORDER BY id LOOP
        best := 'infinity';
        FOR turn IN 1 .. n_turns LOOP
            EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || format(statement, query.v) INTO plan;
            best := least(best, (plan->0->>'Execution Time')::double precision);
        END LOOP;
        times := times || best;
        ids_of_one := '{}';
        FOR found IN EXECUTE format(statement, query.v) LOOP
            ids_of_one := ids_of_one || found.id;
        END LOOP;
        ids := ids || to_json(ids_of_one);
    END LOOP;
    RETURN json_build_object(
        'kind', kind_of_plan(plan::text), 'ids', ids,
        'ms', (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(times) t));
END $$;
