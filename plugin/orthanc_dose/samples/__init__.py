"""Makers of made-up DICOM objects: dose reports of every kind with many makers' habits, bad input, whole studies.

The tests, the demo and the benchmarks use it, and the command ``orthanc-dose make-samples``. Nothing here is, or is
made from, an object of a real person. The same seed gives the same bytes.
"""

from orthanc_dose.samples.ct import CtEvent, DoseCheck, SizeSpecific, Source, ct_report
from orthanc_dose.samples.document import Patient, Study, System, document, part10, uid
from orthanc_dose.samples.other import (
    ct_series,
    ct_slice,
    enhanced_sr_dose_report,
    non_dose_sr,
    other_root_dose_sr,
    report_with_unknown_items,
    report_without_anything,
    report_without_events,
    report_without_template,
)
from orthanc_dose.samples.projection import Calibration, Filter, ProjectionEvent, Totals
from orthanc_dose.samples.projection_reports import (
    fluoroscopy_report,
    mammography_report,
    radiography_report,
)
from orthanc_dose.samples.studies import SampleStudy, make_studies
from orthanc_dose.samples.vendors import VENDORS, Vendor, vendor, vendors_for

__all__ = [
    "VENDORS", "Calibration", "CtEvent", "DoseCheck", "Filter", "Patient", "ProjectionEvent", "SampleStudy",
    "SizeSpecific", "Source", "Study", "System", "Totals", "Vendor", "ct_report", "ct_series", "ct_slice", "document",
    "enhanced_sr_dose_report", "fluoroscopy_report", "make_studies", "mammography_report", "non_dose_sr",
    "other_root_dose_sr", "part10", "radiography_report", "report_with_unknown_items", "report_without_anything",
    "report_without_events", "report_without_template", "uid", "vendor", "vendors_for",
]
