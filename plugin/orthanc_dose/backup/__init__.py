"""Backups of the store, restoring them, and what can be done about a damaged store."""
