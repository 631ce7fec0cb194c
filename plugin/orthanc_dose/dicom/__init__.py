"""Reading DICOM, knowing nothing of dose: data sets, coded concepts, units, dates, text, the SR
content tree.
"""
