"""A project of Django with one table, as small as it can be."""
