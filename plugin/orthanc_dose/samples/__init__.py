"""Generators of synthetic DICOM objects: dose reports of every kind with the habits of many
manufacturers, bad input, and whole studies.

They are used by the tests, the demo, the benchmarks and the command ``orthanc-dose make-samples``.
Nothing here is an object of a real person or derived from one. The same seed gives the same bytes.
"""

from orthanc_dose.samples.ct import CtEvent, DoseCheck, SizeSpecific, Source, ct_report
from orthanc_dose.samples.document import Patient, Study, System, document, part10, uid
from orthanc_dose.samples.enhanced import Estimate, enhanced_report, patient_dose_report
from orthanc_dose.samples.image_ct import CT_SYSTEMS, CtImageSeries, ct_images, two_reconstructions
from orthanc_dose.samples.image_derived import (
    contrast_mammogram,
    sources,
    stitched_leg,
    synthesized_view,
)
from orthanc_dose.samples.image_dose_info import PHILIPS, DoseInfoRow, philips_dose_info
from orthanc_dose.samples.image_mammography import (
    MAMMOGRAPHY,
    Mammogram,
    hologic_combo,
    mammography_image,
    mammography_pair,
    screening,
)
from orthanc_dose.samples.image_nuclear import (
    NUCLEAR,
    NUCLEAR_ODDITIES,
    Administration,
    nuclear_images,
    nuclear_study,
)
from orthanc_dose.samples.image_radiography import (
    FILTER_SPELLINGS,
    ODDITIES,
    radiography_image,
    radiography_pair,
    radiography_study,
)
from orthanc_dose.samples.image_radiography_systems import RADIOGRAPHY, Layer, Radiograph
from orthanc_dose.samples.image_volume import (
    ConeBeamRun,
    CtFrame,
    cone_beam_slices,
    cone_beam_volume,
    enhanced_ct_image,
)
from orthanc_dose.samples.nuclear import (
    Administered,
    OrganDose,
    PatientState,
    radiopharmaceutical_report,
)
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
from orthanc_dose.samples.own_content import (
    radiation_summary,
    report_of_events,
    siemens_comment,
    siemens_positions,
    xper_report,
)
from orthanc_dose.samples.projection import Calibration, Filter, ProjectionEvent, Totals
from orthanc_dose.samples.projection_reports import (
    fluoroscopy_report,
    mammography_report,
    radiography_report,
)
from orthanc_dose.samples.screens import ScreenSeries, dose_screen
from orthanc_dose.samples.studies import SampleStudy, make_studies
from orthanc_dose.samples.vendors import VENDORS, Vendor, vendor, vendors_for

__all__ = [
    "Administered",
    "Administration",
    "CT_SYSTEMS",
    "Calibration",
    "ConeBeamRun",
    "CtEvent",
    "CtFrame",
    "CtImageSeries",
    "DoseCheck",
    "DoseInfoRow",
    "Estimate",
    "FILTER_SPELLINGS",
    "Filter",
    "Layer",
    "MAMMOGRAPHY",
    "Mammogram",
    "NUCLEAR",
    "NUCLEAR_ODDITIES",
    "ODDITIES",
    "OrganDose",
    "PHILIPS",
    "Patient",
    "PatientState",
    "ProjectionEvent",
    "RADIOGRAPHY",
    "Radiograph",
    "SampleStudy",
    "ScreenSeries",
    "SizeSpecific",
    "Source",
    "Study",
    "System",
    "Totals",
    "VENDORS",
    "Vendor",
    "cone_beam_slices",
    "cone_beam_volume",
    "contrast_mammogram",
    "ct_images",
    "ct_report",
    "ct_series",
    "ct_slice",
    "document",
    "dose_screen",
    "enhanced_ct_image",
    "enhanced_report",
    "enhanced_sr_dose_report",
    "fluoroscopy_report",
    "hologic_combo",
    "make_studies",
    "mammography_image",
    "mammography_pair",
    "mammography_report",
    "non_dose_sr",
    "nuclear_images",
    "nuclear_study",
    "other_root_dose_sr",
    "part10",
    "patient_dose_report",
    "philips_dose_info",
    "radiation_summary",
    "radiography_image",
    "radiography_pair",
    "radiography_report",
    "radiography_study",
    "radiopharmaceutical_report",
    "report_of_events",
    "report_with_unknown_items",
    "report_without_anything",
    "report_without_events",
    "report_without_template",
    "screening",
    "siemens_comment",
    "siemens_positions",
    "sources",
    "stitched_leg",
    "synthesized_view",
    "two_reconstructions",
    "uid",
    "vendor",
    "vendors_for",
    "xper_report",
]
