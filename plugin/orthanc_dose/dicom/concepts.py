"""Coded values (PS3.16) that several modules compare or write, each defined once, in canonical form
with the meaning that the standard gives it.

This module does not say where fields appear in a report: the concept of each is declared with the
field (records/). A code that only one module needs is defined in that module."""

from .codes import code

# CT Acquisition Type (CID 10013).
SPIRAL = code("116152004", "SCT")
SEQUENCED = code("113804", "DCM")
CONSTANT_ANGLE = code("113805", "DCM")  # localizers, often without dose values
STATIONARY = code("113806", "DCM")
FREE = code("113807", "DCM")

# Phantom Devices (CID 4052), with diameters of 16 cm and 32 cm.
HEAD_PHANTOM = code("113690", "DCM")
BODY_PHANTOM = code("113691", "DCM")

# Irradiation Event Type (CID 10002).
FLUOROSCOPY = code("44491008", "SCT")
STATIONARY_ACQUISITION = code("113611", "DCM")
STEPPING_ACQUISITION = code("113612", "DCM")
ROTATIONAL_ACQUISITION = code("113613", "DCM")

# Acquisition Plane (CID 10003).
PLANE_A = code("113620", "DCM")
PLANE_B = code("113621", "DCM")
SINGLE_PLANE = code("113622", "DCM")
ALL_PLANES = code("113890", "DCM")

# Yes and no (CID 230).
YES = code("373066001", "SCT")
NO = code("373067005", "SCT")

# Laterality (CID 244), and the breasts themselves (CID 6022).
LEFT = code("7771000", "SCT")
RIGHT = code("24028007", "SCT")
BOTH = code("51440002", "SCT")
LEFT_BREAST = code("80248007", "SCT")
RIGHT_BREAST = code("73056007", "SCT")

# View for Mammography (CID 4014).
CC = code("399162004", "SCT")
MLO = code("399368009", "SCT")

# Materials of filters and anodes (CID 10006, CID 10016).
ALUMINIUM = code("12503006", "SCT")
COPPER = code("66925006", "SCT")
MOLYBDENUM = code("71128006", "SCT")
RHODIUM = code("59801003", "SCT")
SILVER = code("41967008", "SCT")
TUNGSTEN = code("26194003", "SCT")
TIN = code("12597001", "SCT")
TANTALUM = code("45215009", "SCT")
LEAD = code("88488004", "SCT")
NIOBIUM = code("767776000", "SCT")
EUROPIUM = code("767775001", "SCT")

# The concept of the content item that holds the accession number (TID 1005 and others).
ACCESSION_NUMBER = code("121022", "DCM", "Accession Number")
