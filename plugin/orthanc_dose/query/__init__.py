"""Reading the store for pages and scripts: lists, details, summaries. SQL does the work; rows come
out as plain values.
"""
