"""Table of nuclear medicine: Radiopharmaceutical Administration Event Data (TID 10022) with Organ
Dose (TID 10023), and the patient's state at the administration (TID 10024), which is a field of the
study."""

from dataclasses import replace

from . import limits
from .common import counted_in, marks, person_participants, record_source
from .estimate import OF_EVENT
from .field import Field, Shown, Table, code, codes, integer, moment, num, structs, text, uid

_AGENT, _ROUTE, _METHOD = "SCT:349358000", "SCT:410675002", "SCT:370129005"
_LATERALITY = "SCT:272741003"
_UNIT = "113511"  # Radiopharmaceutical Dispense Unit Identifier
# Siemens puts the effective dose into a container of its own scheme (Biograph, 220001 of 99SHS).
_EFFECTIVE = "99SHS:220001/113839|113839"
_EFFECTIVE_AUTHORITY = "99SHS:220001/113839/121406|113839/121406"

_ORGAN_DOSES = structs(
    "organ_doses", "Organ doses", "113517", "TID 10023", "Doses to single organs, as reported.",
    code("finding_site", "Organ", "SCT:363698007", "TID 10023 row 2"),
    code("laterality", "Laterality", _LATERALITY, "TID 10023 row 3",
         "Bilateral for the dose to both organs of a pair."),
    num("organ_dose", "Organ dose", "mGy", "113518", "TID 10023 row 6", limits=limits.ORGAN_DOSE),
    text("reference_authority", "Reference authority", "113518/121406", "TID 10023 rows 7 and 8"),
    num("mass", "Mass", "g", "SCT:118538004", "TID 10023 row 4",
        "Mass of the organ that was used to calculate the dose.", limits=limits.ORGAN_MASS),
    text("mass_method", "Method of mass", f"SCT:118538004/{_METHOD}", "TID 10023 row 5"),
)  # fmt: skip


def _identifiers(name: str, title: str, concept: str, source: str) -> Field:
    return structs(
        name,
        title,
        f"{_UNIT}/{concept}|{concept}",
        source,
        "",
        text("identifier", "Identifier", source=source),
    )


IMAGE_SERIES = structs(
    "image_series", "Image series", "", "PS3.3 C.8.9.1, C.8.9.2, C.8.4.10",
    "The series of images that name this administration, in the order of their start: one entry "
    "for each series, so that two reconstructions of one administration are two entries. "
    "Elements of image headers are those of the image itself.",
    uid("series_instance_uid", "Series Instance UID", header="0020,000e"),
    text("series_description", "Series description", header="0008,103e"),
    moment("series_started", "Series date and time",
           description="Series Date (0008,0021) and Series Time (0008,0031)."),
    num("number_of_slices", "Number of slices", "1", header="0054,0081 1", limits=limits.COUNT_OF_SLICES),
    text("reconstruction_method", "Reconstruction method", header="0054,1103"),
    num("energy_window_lower_limit", "Energy window, lower limit", "keV",
        header="0054,0013/0054,0014 keV|0054,0012/0054,0013/0054,0014 keV",
        limits=limits.ENERGY_WINDOW),
    num("energy_window_upper_limit", "Energy window, upper limit", "keV",
        description="Of the only energy window; several windows are in a mark.",
        header="0054,0013/0054,0015 keV|0054,0012/0054,0013/0054,0015 keV",
        limits=limits.ENERGY_WINDOW),
)  # fmt: skip

NM_ADMINISTRATION = Table(
    "nm_administration", "Radiopharmaceutical administrations",
    "One row per Radiopharmaceutical Administration. Elements of image headers are relative to "
    "an item of Radiopharmaceutical Information Sequence (0054,0016). Radionuclide Total Dose "
    "(0018,1074) is in Bq in PET images (PS3.3 C.8.9.2), in MBq in NM images (PS3.3 C.8.4.10); "
    "the unit given with it here is that of PET.",
    (
        integer("study_id", "Study", description="Study that the administration belongs to.", always=True),
        integer("event_number", "Administration", description="Position of the administration in "
                                                              "the study, counted from 1.", always=True),
        *record_source(),
        uid("administration_event_uid", "Administration event UID", "113503", "TID 10022 row 6", header="0008,3012"),
        code("radiopharmaceutical_agent", "Radiopharmaceutical agent", _AGENT, "TID 10022 row 2", header="0054,0304"),
        text("radiopharmaceutical_name", "Radiopharmaceutical", header="0018,0031",
             description="Name as text, as in image headers."),
        code("radionuclide", "Radionuclide", f"{_AGENT}/SCT:89457008", "TID 10022 row 3", header="0054,0300"),
        num("radionuclide_half_life", "Half life", "s", f"{_AGENT}/SCT:304283002", "TID 10022 row 4",
            header="0018,1075 s", limits=limits.HALF_LIFE),
        num("specific_activity", "Specific activity", "MBq/mmol", "123007", "TID 10022 row 5", header="0018,1077 Bq/umol"),
        moment("datetime_started", "Started", "123003", "TID 10022 row 9", header="0018,1078"),
        moment("datetime_stopped", "Stopped", "123004", "TID 10022 row 10", header="0018,1079"),
        num("administered_activity", "Administered activity", "MBq", "113507", "TID 10022 row 11",
            "Activity at the start of the administration.", header="0018,1074 Bq", limits=limits.ADMINISTERED_ACTIVITY),
        num("radiopharmaceutical_volume", "Volume", "cm3", "123005", "TID 10022 row 12", header="0018,1071 cm3",
            limits=limits.VOLUME),
        num("pre_administration_activity", "Activity before "
"administration", "MBq", "113508", "TID 10022 row 13"),
        code("pre_administration_device", "Measured before with", "113508/113540", "TID 10022 row 14"),
        num("post_administration_activity", "Activity after "
"administration", "MBq", "113509", "TID 10022 row 16",
            "Residual activity, for example in the syringe."),
        code("post_administration_device", "Measured after with", "113509/113540", "TID 10022 row 17"),
        num("estimated_extravasation_activity", "Estimated "
"extravasation", "%", "113506", "TID 10022 row 8"),
        codes("extravasation_symptoms", "Extravasation symptoms", "113505", "TID 10022 row 7"),
        num("effective_dose", "Effective dose", "mSv", _EFFECTIVE,
            "Effective Dose (113839, DCM), also in a container (220001, 99SHS) of Siemens",
                limits=limits.EFFECTIVE_DOSE),
        text("effective_dose_reference_authority", "Reference authority of effective "
"dose", _EFFECTIVE_AUTHORITY,
             "as above"),
        _ORGAN_DOSES,
        code("route_of_administration", "Route of administration", _ROUTE, "TID 10022 row 20", header="0054,0302|0018,1070"),
        code("site_of_administration", "Site of administration", f"{_ROUTE}/SCT:272737002", "TID 10022 row 21"),
        code("laterality", "Laterality", f"{_ROUTE}/SCT:272737002/{_LATERALITY}", "TID 10022 row 22"),
        person_participants(source="TID 1020 in TID 10022 row 23"),
        codes("billing_codes", "Billing codes", "121147", "TID 10022 row 24"),
        codes("drug_product_identifiers", "Drug product identifiers", "113510", "TID 10022 row 25"),
        text("brand_name", "Brand name", "111529", "TID 10022 row 26"),
        text("dispense_unit_identifier", "Dispense unit", _UNIT, "TID 10022 row 27"),
        _identifiers("lot_identifiers", "Lots", "113512", "TID 10022 row 28"),
        _identifiers("reagent_vial_identifiers", "Reagent vials", "113513", "TID 10022 row 29"),
        _identifiers("radionuclide_identifiers", "Radionuclide "
"identifiers", "113514", "TID 10022 row 30"),
        text("prescription_identifier", "Prescription", "113516", "TID 10022 row 31"),
        text("comment", "Comment", "121106", "TID 10022 row 32"),
        IMAGE_SERIES,
        counted_in(),
        marks(),
    ),
    derived=(OF_EVENT["effective_dose"],),
)  # fmt: skip

_GFR, _BMI, _BSA = "SCT:80274001", "SCT:60621009", "LN:8277-6"

# A body surface is given in m², whereas fields of X-rays are given in cm².
_BODY_SURFACE_AREA = replace(
    num(
        "body_surface_area",
        "Body surface area",
        "m2",
        _BSA,
        "TID 10024 row 7",
        limits=limits.BODY_SURFACE,
    ),
    shown=Shown("m²"),
)

PATIENT_CHARACTERISTICS = structs(
    "patient_characteristics",
    "Patient state",
    "121118",
    "TID 10024",
    "The patient at the administration of a radiopharmaceutical.",
    codes("patient_states", "Patient state", "109054", "TID 10024 row 2"),
    num("subject_age", "Age", "a", "121033", "TID 10024 row 3"),
    code("subject_sex", "Sex", "121032", "TID 10024 row 4"),
    num(
        "patient_height", "Height", "cm", "LN:8302-2", "TID 10024 row 5", limits=limits.HEIGHT_IN_CM
    ),
    num("patient_weight", "Weight", "kg", "LN:29463-7", "TID 10024 row 6"),
    _BODY_SURFACE_AREA,
    code(
        "body_surface_area_formula",
        "Formula of body surface area",
        f"{_BSA}/LN:8278-4",
        "TID 10024 row 8",
    ),
    num(
        "body_mass_index",
        "Body mass index",
        "kg/m2",
        _BMI,
        "TID 10024 row 9",
        limits=limits.BODY_MASS_INDEX,
    ),
    code(
        "body_mass_index_equation",
        "Equation of body mass index",
        f"{_BMI}/121420",
        "TID 10024 row 10",
    ),
    num("glucose", "Glucose", "mmol/l", "LN:14749-6", "TID 10024 row 11", limits=limits.GLUCOSE),
    num("fasting_duration", "Fasting", "h", "113550", "TID 10024 row 12", limits=limits.FASTING),
    num(
        "hydration_volume", "Hydration", "ml", "113551", "TID 10024 row 13", limits=limits.HYDRATION
    ),
    text("recent_physical_activity", "Recent physical activity", "113552", "TID 10024 row 14"),
    num(
        "serum_creatinine",
        "Serum creatinine",
        "mg/dl",
        "LN:2160-0",
        "TID 10024 row 15",
        limits=limits.CREATININE,
    ),
    structs(
        "glomerular_filtration_rates",
        "Glomerular filtration rate",
        _GFR,
        "TID 10024 row 16",
        "",
        num(
            "rate",
            "Rate",
            "ml/min/{1.73_m2}",
            source="TID 10024 row 16",
            limits=limits.FILTRATION_RATE,
        ),
        code("measurement_method", "Method", f"{_METHOD}", "TID 10024 row 17"),
        code(
            "equivalent_meaning",
            "Equivalent meaning",
            "121050",
            "TID 10024 row 18",
            miscoded=(("DCM:121051",),),
        ),
    ),
    modalities=("NM",),
)
