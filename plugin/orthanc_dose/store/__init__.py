"""The store, which is persistence only: DuckDB, its schema from the data dictionary, what is written
in one transaction, and reading.
"""

from ..records.rows import ObjectRow
from .database import STORE_ERRORS, NotRenewed, Store, StoreError
from .writer import Batch, Writer

__all__ = ["STORE_ERRORS", "Batch", "NotRenewed", "ObjectRow", "Store", "StoreError", "Writer"]
