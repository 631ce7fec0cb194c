"""Reading the store for pages and scripts: lists, details, summaries.

SQL does the work; rows are returned as plain values.
"""
