-- Every object of an extension (psql variable `extension`), one a line: what it is and all that a
-- caller could tell it by. Names are as the catalogue has them, so that two databases compare.

SET search_path = pg_catalog;
\pset format unaligned
\pset tuples_only on

CREATE TEMPORARY VIEW members AS
SELECT classid, objid FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = :'extension');

SELECT 'type', t.typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typinput,
       typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, typstorage
FROM members JOIN pg_type t ON t.oid = objid AND classid = 'pg_type'::regclass
WHERE typelem = 0
ORDER BY 2;

SELECT 'function', p.oid::regprocedure, prorettype::regtype, prokind, prosrc, probin, procost, prorows,
       prosupport, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel,
       pg_get_function_arguments(p.oid)
FROM members JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass
ORDER BY p.oid::regprocedure::text COLLATE "C";

SELECT 'aggregate', aggfnoid::regprocedure, aggkind, aggtransfn, aggfinalfn, aggcombinefn,
       aggserialfn, aggdeserialfn, aggtranstype::regtype, agginitval
FROM members JOIN pg_aggregate ON aggfnoid = objid AND classid = 'pg_proc'::regclass
ORDER BY aggfnoid::regprocedure::text COLLATE "C";

SELECT 'operator', o.oid::regoperator, oprresult::regtype, oprcode::regproc, oprcom::regoperator,
       oprnegate::regoperator, oprrest, oprjoin, oprcanmerge, oprcanhash
FROM members JOIN pg_operator o ON o.oid = objid AND classid = 'pg_operator'::regclass
ORDER BY o.oid::regoperator::text COLLATE "C";

SELECT 'cast', castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext,
       castmethod
FROM members JOIN pg_cast c ON c.oid = objid AND classid = 'pg_cast'::regclass
ORDER BY castsource::regtype::text COLLATE "C", casttarget::regtype::text COLLATE "C";

SELECT 'access method', amname, amtype, amhandler
FROM members JOIN pg_am a ON a.oid = objid AND classid = 'pg_am'::regclass
ORDER BY amname;

SELECT 'operator class', amname, opcname, opcintype::regtype, opcdefault, opckeytype
FROM members JOIN pg_opclass c ON c.oid = objid AND classid = 'pg_opclass'::regclass
     JOIN pg_am a ON a.oid = opcmethod
ORDER BY 2, 3;

SELECT 'operator of family', amname, opfname, amopstrategy, amopopr::regoperator, amoppurpose,
       (SELECT opfname FROM pg_opfamily WHERE oid = amopsortfamily)
FROM members JOIN pg_opfamily f ON f.oid = objid AND classid = 'pg_opfamily'::regclass
     JOIN pg_am a ON a.oid = opfmethod JOIN pg_amop ON amopfamily = f.oid
ORDER BY 2, 3, 4;

SELECT 'function of family', amname, opfname, amprocnum, amproc::regprocedure
FROM members JOIN pg_opfamily f ON f.oid = objid AND classid = 'pg_opfamily'::regclass
     JOIN pg_am a ON a.oid = opfmethod JOIN pg_amproc ON amprocfamily = f.oid
ORDER BY 2, 3, 4;

SELECT 'property of ' || amname, property, pg_indexam_has_property(a.oid, property)
FROM members JOIN pg_am a ON a.oid = objid AND classid = 'pg_am'::regclass,
     unnest('{can_order,can_unique,can_multi_col,can_exclude,can_include}'::text[]) property
ORDER BY 1, 2;

-- Settings are there once the library is loaded.
LOAD '$libdir/vector';
SELECT 'setting', name, setting, unit, vartype, context, min_val, max_val, enumvals, boot_val
FROM pg_settings WHERE name ~ '^(hnsw|ivfflat)\.' ORDER BY name COLLATE "C";

-- Objects without a comment; the array types, and those of the relations of views, have none.
SELECT 'without comment', pg_describe_object(classid, objid, 0)
FROM members
WHERE obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)) IS NULL
      AND pg_describe_object(classid, objid, 0) NOT LIKE 'type %[]'
ORDER BY 2;
