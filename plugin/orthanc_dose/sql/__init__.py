"""SQL for administrators: a single read-only SELECT over documented views, with time and row
limits.
"""
