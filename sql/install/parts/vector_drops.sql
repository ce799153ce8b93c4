-- vector_drops: what earlier versions of extension vector had in another form, before it is created anew

-- since 0.2.1
DROP CAST (integer[] AS vector);

-- since 0.2.1
DROP CAST (real[] AS vector);

-- since 0.2.1
DROP CAST (double precision[] AS vector);

-- since 0.2.1
DROP CAST IF EXISTS (numeric[] AS vector);

-- since 0.6.1
DROP OPERATOR - (vector, vector);
