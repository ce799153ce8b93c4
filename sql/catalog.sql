-- The extension's objects as the catalogue holds them: names, attributes, comments, consistency.

-- Everything that belongs to the extension.
CREATE TEMPORARY VIEW members AS
SELECT classid, objid, pg_describe_object(classid, objid, 0) AS object
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector_ext');

-- Every object has a comment, but array types and the row types of views, which newer servers count
-- as members.
SELECT object FROM members
WHERE obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)) IS NULL
      AND object NOT LIKE 'type %[]'
      AND NOT EXISTS (SELECT FROM pg_type t
                      WHERE classid = 'pg_type'::regclass AND t.oid = objid AND t.typrelid <> 0)
ORDER BY object;
SELECT obj_description(oid, 'pg_extension') IS NOT NULL AS extension_has_comment, extrelocatable,
       extversion, extconfig
FROM pg_extension WHERE extname = 'vector_ext';

-- The types.
SELECT typname, typlen, typbyval, typalign, typstorage, typcategory, typispreferred, typdelim,
       typdefault, typcollation, typinput, typoutput, typreceive, typsend, typmodin, typmodout,
       typanalyze, typelem, typarray::regtype
FROM pg_type WHERE oid IN ('vector'::regtype, 'halfvec'::regtype) ORDER BY typname DESC \gx

-- Functions: result, volatility, strictness, parallel safety, language. (Those of the access
-- method are tested with the index.)
SELECT p.oid::regprocedure AS function, p.prorettype::regtype AS result, p.prokind AS kind,
       p.provolatile AS volatile, p.proisstrict AS strict,
       p.proparallel AS parallel, l.lanname AS language
FROM members JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass
     JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind = 'f' AND p.proname NOT LIKE 'hnsw%'
ORDER BY p.proname COLLATE "C", p.oid::regprocedure::text COLLATE "C";
SELECT p.oid::regprocedure AS unexpected
FROM members JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass
     JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname = 'c' AND (p.probin <> '$libdir/vector_ext' OR p.prosrc NOT LIKE 'vext\_%')
   OR p.prosecdef OR p.proleakproof OR p.proacl IS NOT NULL OR p.procost < 1;

-- What \df vector_* shows beside the functions of types, operators, casts and aggregates: what users
-- call, and vector_bulk_row, which the statements of an upsert call.
SELECT p.oid::regprocedure AS function
FROM members JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass
WHERE p.proname LIKE 'vector\_%'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid)
ORDER BY p.proname COLLATE "C";

-- Operators.
SELECT o.oprname AS operator, o.oprleft::regtype AS left, o.oprright::regtype AS right,
       o.oprresult::regtype AS result, o.oprcode AS function,
       nullif(o.oprcom, 0)::regoperator AS commutator,
       nullif(o.oprnegate, 0)::regoperator AS negator,
       o.oprrest AS restrict, o.oprjoin AS join, o.oprcanmerge AS merges, o.oprcanhash AS hashes
FROM members JOIN pg_operator o ON o.oid = objid AND classid = 'pg_operator'::regclass
ORDER BY o.oprname COLLATE "C", o.oprleft::regtype::text;

-- A commutator's commutator, and a negator's negator, is the operator itself; argument types fit;
-- an operator's function has its types, and is as strict and immutable as the planner must believe.
SELECT o.oid::regoperator AS inconsistent
FROM members JOIN pg_operator o ON o.oid = objid AND classid = 'pg_operator'::regclass
     LEFT JOIN pg_operator c ON c.oid = o.oprcom LEFT JOIN pg_operator n ON n.oid = o.oprnegate
     JOIN pg_proc p ON p.oid = o.oprcode
WHERE c.oprcom <> o.oid OR c.oprleft <> o.oprright OR c.oprright <> o.oprleft
   OR c.oprresult <> o.oprresult
   OR n.oprnegate <> o.oid OR n.oprleft <> o.oprleft OR n.oprright <> o.oprright
   OR n.oprresult <> 'boolean'::regtype OR n.oid = o.oid
   OR p.prorettype <> o.oprresult OR p.pronargs <> 2 OR p.proargtypes[0] <> o.oprleft
   OR p.proargtypes[1] <> o.oprright
   OR NOT p.proisstrict OR p.provolatile <> 'i' OR p.proparallel <> 's'
   OR (o.oprrest = 0) <> (o.oprjoin = 0)
   OR (o.oprresult = 'boolean'::regtype) <> (o.oprrest <> 0);

-- Casts: i implicit, a on assignment.
SELECT c.castsource::regtype AS source, c.casttarget::regtype AS target,
       c.castfunc::regprocedure AS function, c.castcontext AS context, c.castmethod AS method
FROM members JOIN pg_cast c ON c.oid = objid AND classid = 'pg_cast'::regclass
ORDER BY c.castsource::regtype::text COLLATE "C", c.casttarget::regtype::text COLLATE "C";
SELECT c.castfunc::regprocedure AS inconsistent
FROM members JOIN pg_cast c ON c.oid = objid AND classid = 'pg_cast'::regclass
     JOIN pg_proc p ON p.oid = c.castfunc
WHERE p.prorettype <> c.casttarget OR p.proargtypes[0] <> c.castsource OR p.pronargs <> 3
   OR p.proargtypes[1] <> 'integer'::regtype OR p.proargtypes[2] <> 'boolean'::regtype;

-- Aggregates.
SELECT a.aggfnoid::regprocedure AS aggregate, p.prorettype::regtype AS result,
       p.proparallel AS parallel, a.aggtransfn AS transition, a.aggfinalfn AS final,
       a.aggcombinefn AS combine, a.aggserialfn AS serial, a.aggtranstype::regtype AS state,
       a.agginitval AS initial
FROM members JOIN pg_aggregate a ON a.aggfnoid = objid AND classid = 'pg_proc'::regclass
     JOIN pg_proc p ON p.oid = a.aggfnoid
ORDER BY a.aggfnoid::regprocedure::text COLLATE "C";
SELECT a.aggfnoid::regprocedure AS inconsistent
FROM members JOIN pg_aggregate a ON a.aggfnoid = objid AND classid = 'pg_proc'::regclass
     JOIN pg_proc c ON c.oid = a.aggcombinefn JOIN pg_proc t ON t.oid = a.aggtransfn
WHERE c.pronargs <> 2 OR c.proargtypes[0] <> a.aggtranstype OR c.proargtypes[1] <> a.aggtranstype
   OR c.prorettype <> a.aggtranstype OR t.prorettype <> a.aggtranstype;

-- The btree operator class is its type's default and complete.
SELECT opcname, amname, opcintype::regtype, opcdefault, opckeytype
FROM members JOIN pg_opclass o ON o.oid = objid AND classid = 'pg_opclass'::regclass
     JOIN pg_am a ON a.oid = opcmethod
WHERE amname = 'btree' ORDER BY opcname;
SELECT opfname, amopstrategy AS strategy, amopopr::regoperator AS operator, amoppurpose AS purpose
FROM pg_amop JOIN pg_opfamily f ON f.oid = amopfamily JOIN pg_am a ON a.oid = opfmethod
WHERE amname = 'btree' AND amoplefttype IN ('vector'::regtype, 'halfvec'::regtype)
ORDER BY opfname, amopstrategy;
SELECT opfname, amprocnum AS number, amproc::regprocedure AS function
FROM pg_amproc JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am a ON a.oid = opfmethod
WHERE amname = 'btree' AND amproclefttype IN ('vector'::regtype, 'halfvec'::regtype)
ORDER BY opfname, amprocnum;
SELECT amvalidate(oid)
FROM members JOIN pg_opclass o ON o.oid = objid AND classid = 'pg_opclass'::regclass
WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'btree');
CREATE TABLE hashed (v vector);
CREATE INDEX ON hashed USING hash (v);
DROP TABLE hashed;

-- Nothing else has the extension's names: an untyped literal never becomes ambiguous.
SELECT '[1,2]' <-> '[3,4]'::vector AS l2, '[1,2]'::vector <=> '[1,2]' AS cosine,
       '[1]'::vector || '[2]' AS concatenated;

-- Another schema than that of the search path: by qualified name everything works.
BEGIN;
CREATE SCHEMA elsewhere;
ALTER EXTENSION vector_ext SET SCHEMA elsewhere;
SET LOCAL search_path = pg_catalog;
CREATE TABLE public.moved (id int, v elsewhere.vector(2));
INSERT INTO public.moved VALUES (1, '[3,4]'), (2, ARRAY[1,1]), (3, '[0,9]');
SELECT id, v, v OPERATOR(elsewhere.<->) '[0,0]' AS distance FROM public.moved
ORDER BY v OPERATOR(elsewhere.<->) '[0,0]';
SELECT elsewhere.avg(v), elsewhere.sum(v), v::real[] FROM public.moved GROUP BY v ORDER BY v;
SELECT elsewhere.l2_normalize(v), elsewhere.vector_try_parse('[1'),
       v OPERATOR(elsewhere.=) elsewhere.vector_from_f32(elsewhere.vector_to_f32(v))
FROM public.moved WHERE id = 1;
SELECT v OPERATOR(elsewhere.+) '[1,2,3]' FROM public.moved;
ROLLBACK;

-- Dropping and creating again in a transaction.
BEGIN;
CREATE TABLE held (v vector);
SAVEPOINT before;
DROP EXTENSION vector_ext;
ROLLBACK TO before;
DROP TABLE held;
DROP EXTENSION vector_ext;
SELECT to_regtype('vector') IS NULL AS dropped;
CREATE SCHEMA elsewhere;
CREATE EXTENSION vector_ext SCHEMA elsewhere;
SELECT typnamespace::regnamespace FROM pg_type WHERE typname = 'vector';
ROLLBACK;
SELECT '[1]'::vector;
