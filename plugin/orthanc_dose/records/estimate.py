"""The table of estimates: doses that no object states, and why there is none."""

from . import limits
from .common import counted_in
from .field import Field, Table, code, integer, num, structs, text

# Why there is no value.
REASONS = {
    "localizer": "localizers have none: their tube does not rotate",
    "no_size": "the report gives no size of the patient",
    "one_dimension": "the report gives only one dimension of the patient",
    "size_outside_table": "the size is outside the tabulated diameters",
    "no_ctdivol": "CTDIvol is missing",
    "no_phantom": "the phantom is missing",
    "other_phantom": "there is no factor for this phantom",
    "doubted": "a value that it would be calculated from is implausible",
    "no_event": "no irradiation event has a value",
    "incomplete": "not all irradiation events that count have a value",
    "no_dose": "the dose or activity is missing",
    "no_age": "the age is missing",
    "age_outside_table": "the table has no coefficient for this age",
    "no_region": "neither the target region nor a standard name says which region it is",
    "region_outside_table": "the table has no coefficient for this region",
    "no_kvp": "the tube voltage is missing",
    "several_kvp": "the tubes have different voltages",
    "kvp_outside_table": "the table has no coefficient for this tube voltage",
    "no_agent": "the agent has no code",
    "agent_outside_table": "the table has no coefficient for this agent",
    "protocol_outside_table": "the table has no coefficient for this protocol",
    "several_patterns": "several patterns of the table match",
    "other_weights": "the table has other tissue weighting factors than those chosen",
}
# The quantities and their units.
UNITS = {"ssde": "mGy", "ssde_mean": "mGy", "ssde_max": "mGy", "effective_dose": "mSv"}
QUANTITIES = {
    "ssde": "size-specific dose estimate of an event",
    "ssde_mean": "mean of those of the study's events that have one",
    "ssde_max": "largest of those of the study's events",
    "effective_dose": "effective dose of a reference person; of the study, the sum over its events",
}

ESTIMATE = Table(
    "estimate",
    "Estimates",
    "One row per study or event and quantity that the program estimates from the record. What the "
    "objects state stays in their own fields.",
    (
        integer("study_id", "Study", always=True),
        integer("event_number", "Event", description="Empty for a value of the whole study."),
        text(
            "quantity",
            "Quantity",
            always=True,
            description="; ".join(f"{name}: {what}" for name, what in QUANTITIES.items()),
        ),
        num(
            "value",
            "Estimate",
            "1",
            description="In the unit of the row; empty if there is none.",
            unlimited="estimates of several quantities",
        ),
        text("unit", "Unit", always=True),
        code("method", "Method", source="CID 10023", description="Method of an SSDE."),
        text(
            "table_key",
            "Table",
            description="Table of factors or coefficients; `reported` for an SSDE that the report "
            "states.",
        ),
        text("table_version", "Version of the table"),
        text("weights", "Tissue weighting factors", description="ICRP 60 or ICRP 103."),
        structs(
            "inputs",
            "Calculated from",
            "",
            "",
            "Values from which it was calculated, with their origin.",
            text("name", "Name"),
            num("value", "Value", "1", unlimited="inputs of several quantities"),
            text("text", "Text"),
            text("unit", "Unit"),
            text("origin", "Origin", description="Field of the record, or key of the table."),
        ),
        text(
            "reason",
            "Reason",
            description="Why there is no value: "
            + "; ".join(f"{name}: {what}" for name, what in REASONS.items()),
        ),
        counted_in(),
    ),
)

_PERSON = "Estimate for a reference person, by the table that an administrator chose."


def _effective_dose(of: str, modalities: tuple[str, ...] = ()) -> Field:
    return num(
        "effective_dose_estimated",
        "Effective dose (estimate)",
        "mSv",
        description=f"{_PERSON} {of}".strip(),
        limits=limits.EFFECTIVE_DOSE,
        modalities=modalities,
    )


# Fields that are derived from the table when a row is read, each with its quantity.
OF_STUDY: dict[str, Field] = {
    "ssde_mean": num(
        "ssde_mean",
        "Mean SSDE (estimate)",
        "mGy",
        description="Mean of the size-specific dose estimates of the events that have one.",
        limits=limits.SSDE,
        modalities=("CT",),
    ),
    "ssde_max": num(
        "ssde_max",
        "Largest SSDE (estimate)",
        "mGy",
        description="Largest size-specific dose estimate of the events.",
        limits=limits.SSDE,
        modalities=("CT",),
    ),
    "effective_dose": _effective_dose(
        "Sum over the events; empty unless each of them has one.", ("CT", "RF", "DX", "NM")
    ),
}
EFFECTIVE_DOSE_TABLE = text(
    "effective_dose_table",
    "Table of effective dose",
    description="Table of coefficients with its version and tissue weighting factors, by which the "
    "effective dose is estimated.",
    modalities=OF_STUDY["effective_dose"].modalities,
)
OF_EVENT: dict[str, Field] = {
    "ssde": num(
        "ssde",
        "SSDE (estimate)",
        "mGy",
        source="AAPM report 204",
        description="Size-specific dose estimate: as reported or, if the report has none, "
        "calculated from the size that it gives.",
        limits=limits.SSDE,
    ),
    "effective_dose": _effective_dose(""),
}
