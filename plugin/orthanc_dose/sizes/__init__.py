"""Import of patients' heights and weights from CSV files: reading the file, its numbers and units,
finding the studies, and deciding what to do with each line.
"""
