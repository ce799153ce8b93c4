-- COPY of vectors as text, CSV and binary, out and in, and the errors of each.

CREATE TABLE origin (id int, v vector(3), w vector);
INSERT INTO origin VALUES (1, '[1,2,3]', '[0.1]'), (2, '[-1.5,0,1e-45]', NULL),
    (3, NULL, '[3.4028235e38,-0,7]'),
    (4, '[0.3333333,1e20,-1e-20]', '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]');
COPY origin TO STDOUT;
COPY origin TO STDOUT (FORMAT csv, HEADER);
COPY origin TO STDOUT (FORMAT csv, DELIMITER ';', NULL 'none');
COPY (SELECT v FROM origin WHERE v <-> '[1,2,3]' < 1) TO STDOUT;

CREATE TABLE target (id int, v vector(3), w vector);
COPY target FROM STDIN;
1	[1,2,3]	[0.1]
2	 [ 4 , 5 , 6 ] 	\N
\.
COPY target FROM STDIN (FORMAT csv);
3,"[7,8,9]","[1]"
4,,"[ 1,
2 ]"
\.
COPY target FROM STDIN (FORMAT csv, DELIMITER ';', NULL 'none');
5;[7,8,9];none
\.
SELECT * FROM target ORDER BY id;

-- A bad line ends the COPY, nothing of it stays, and the message names line and column.
COPY target FROM STDIN;
6	[1,2,3]	[1]
7	[1,2,3	[1]
\.
COPY target FROM STDIN;
6	[1,2]	[1]
\.
COPY target FROM STDIN;
6	[1,2,3]	[1,nan]
\.
COPY target FROM STDIN (FORMAT csv);
6,[1,2,3],[1]
\.
COPY target FROM STDIN (FORMAT csv);
6,"[1,2,4e38]",
\.
SELECT count(*) FROM target;

-- Text out and in gives the same bits.
\getenv directory PG_ABS_BUILDDIR
\set file :directory '/results/copy.data'
\set load '\\copy target FROM ' :'file'
TRUNCATE target;
COPY origin TO STDOUT \g :file
:load
SELECT o.id, vector_send(o.v) IS NOT DISTINCT FROM vector_send(t.v) AS same_v,
       vector_send(o.w) IS NOT DISTINCT FROM vector_send(t.w) AS same_w
FROM origin o JOIN target t USING (id) ORDER BY id;

-- Binary out and in gives the same bits, also of values that are stored out of line.
\set load '\\copy target FROM ' :'file' ' (FORMAT binary)'
TRUNCATE target;
INSERT INTO origin SELECT 1000 + n, NULL,
    (SELECT array_agg(i / 7.0) FROM generate_series(1, n) i)::vector
    FROM unnest(ARRAY[1, 29, 500, 2000, 16000]) n;
COPY origin TO STDOUT (FORMAT binary) \g :file
:load
SELECT o.id, vector_send(o.v) IS NOT DISTINCT FROM vector_send(t.v) AS same_v,
       vector_send(o.w) IS NOT DISTINCT FROM vector_send(t.w) AS same_w
FROM origin o JOIN target t USING (id) ORDER BY id;
DROP TABLE target;

-- A binary field is the four bytes of header and the numbers: what bytea would hold.
CREATE TABLE target (b bytea);
\set load '\\copy target FROM ' :'file' ' (FORMAT binary)'
COPY (SELECT '[1,-2.5]'::vector) TO STDOUT (FORMAT binary) \g :file
:load
SELECT b FROM target;
DROP TABLE target;
CREATE TABLE target (v vector);
COPY (SELECT '\x000300003f800000c020000000000001'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
SELECT v FROM target;

-- The modifier of the column is enforced on binary input too.
ALTER TABLE target ALTER v TYPE vector(3);
:load
COPY (SELECT '[1,2]'::vector) TO STDOUT (FORMAT binary) \g :file
:load
SELECT count(*) FROM target;
DROP TABLE origin, target;
