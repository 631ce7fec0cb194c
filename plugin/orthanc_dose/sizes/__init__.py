"""Height and weight of patients from CSV files: reading the file, its numbers and units, finding
the studies, deciding.
"""
