"""DuckDB's own number of a row, and which of its properties the program relies on, stated once:

- within one transaction it finds rows again, far faster than a column does;
- rows of a study that were written in one insert are numbered in the order in which they were
  given.

It is stored nowhere: rewriting a row or the file changes it.
"""

PLACE = "rowid"
