"""Orthanc Dose: a radiation dose management system inside an Orthanc DICOM server."""

__version__ = "0.1.0"
LICENCE = "AGPL-3.0-or-later"
