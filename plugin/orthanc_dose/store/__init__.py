"""The store: DuckDB, its schema from the data dictionary, what is written in one transaction, and reading."""

from .database import Store, StoreError
from .writer import Batch, ObjectRow, Writer

__all__ = ["Batch", "ObjectRow", "Store", "StoreError", "Writer"]
