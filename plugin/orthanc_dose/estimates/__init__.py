"""Estimates of doses that no object states: size-specific dose estimates of CT and effective doses.

tables/ holds the coefficients as data, with source and version; tables.py reads them. ssde.py and
effective.py are pure functions of the rows of a study; study.py puts them together; follower.py keeps
the table `estimate` up to date. Estimates of organ doses that someone else reported are another
matter (assemble/estimates.py): those are values of objects.
"""
