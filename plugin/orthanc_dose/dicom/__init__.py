"""Reading of DICOM without any knowledge of dose: data sets, coded concepts, units, dates, text,
and the SR content tree.
"""
