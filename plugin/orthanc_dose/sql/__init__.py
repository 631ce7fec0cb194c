"""SQL for administrators: one SELECT over documented views, read-only, with limits of time and
rows.
"""
