"""DuckDB's own number of a row, and what of it the program relies on, stated once:

- within one transaction it finds rows again, far quicker than a column does;
- rows of a study that were written in one insert have it in the order in which they were given.

It is kept nowhere: a row that is written anew, or a file that is, has others."""

PLACE = "rowid"
