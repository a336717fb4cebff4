-- Dagster keeps its own storage beside the library's, in a database of its own.
CREATE DATABASE dagster;
