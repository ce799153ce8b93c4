-- COPY ... (ON_ERROR ignore), in servers that have it (17 and later), skips rows with a bad vector.

SELECT current_setting('server_version_num')::int < 170000 AS old_server \gset
\if :old_server
\quit
\endif
CREATE TABLE target (id int, v vector(2));
COPY target FROM STDIN (ON_ERROR ignore);
1	[1,2]
2	[1,2
3	[1,2,3]
4	[1,nan]
5	[1,4e38]
6	[]
7	[3,4]
8	\N
\.
SELECT * FROM target ORDER BY id;
DROP TABLE target;
