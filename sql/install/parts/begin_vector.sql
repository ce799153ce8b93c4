-- The SQL objects of extension vector: those of pgvector of this version, by the same names. Where
-- vector_ext is in the database, creating the first type or access method fails.

\echo Use "CREATE EXTENSION vector" to load this file. \quit
