"""The store: persistence in DuckDB, with its schema from the data dictionary, writing and reading.

Each batch is written in one transaction.
"""

from ..records.rows import ObjectRow
from .database import STORE_ERRORS, NotRenewed, Store, StoreError
from .writer import Batch, Writer

__all__ = ["STORE_ERRORS", "Batch", "NotRenewed", "ObjectRow", "Store", "StoreError", "Writer"]
