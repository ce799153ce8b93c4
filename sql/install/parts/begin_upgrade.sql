-- The SQL objects of extension vector that an earlier version did not have.

\echo Use "ALTER EXTENSION vector UPDATE" to load this file. \quit
