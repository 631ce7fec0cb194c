"""Exports as files: columns from the data dictionary, rows rendered by DuckDB, chunk by chunk."""
