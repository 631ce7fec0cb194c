"""Reference levels with which doses are compared."""

from .field import Table, flag, integer, num, text

# The statistic of an installation's doses that is compared with a level. The median is the
# convention: a national level is the third quartile of the medians of hospitals (ICRP Publication
# 135, 2017).
STATISTICS = {"median": "the median", "mean": "the mean", "p75": "the 75th percentile"}
PHANTOMS = {"head": "IEC head phantom (16 cm)", "body": "IEC body phantom (32 cm)"}

REFERENCE_LEVEL = Table(
    "reference_level",
    "Reference levels",
    "One row per reference level that the installation's doses are compared with, for one "
    "examination, quantity and class of patients.",
    (
        integer("id", "Number", always=True),
        text(
            "shipped_as",
            "Shipped as",
            description="Key of a level supplied with the program; empty for all others.",
        ),
        text("name", "Examination", always=True, description="Name used by its source."),
        text(
            "pattern",
            "Pattern",
            description="Pattern for the names that the level applies to, as systems write them, "
            "with the wildcards * ? [seq] [!seq]; case is ignored. Empty, as is the "
            "standard name, for a level that is not matched yet.",
        ),
        text(
            "standard_name",
            "Standard name",
            description="Instead of a pattern: the level applies to all names with this standard "
            "name.",
        ),
        text("modality", "Modality"),
        text(
            "quantity",
            "Quantity",
            description="Filter of lists with the values that the level is compared with, such "
            "as dlp_total.",
        ),
        num(
            "value",
            "Value",
            "1",
            always=True,
            description="Value in the unit in which the quantity is stored.",
            unlimited="a value of any quantity, which people set",
        ),
        text(
            "statistic",
            "Compared with",
            always=True,
            description="; ".join(
                f"{name}: {what} of the installation's values" for name, what in STATISTICS.items()
            ),
        ),
        num("age_from", "Age from", "a", description="Minimum age of patients (inclusive)."),
        num("age_to", "Age to", "a", description="Maximum age of patients (exclusive)."),
        num(
            "weight_from",
            "Weight from",
            "kg",
            description="Minimum weight of patients (inclusive).",
        ),
        num("weight_to", "Weight to", "kg", description="Maximum weight of patients (exclusive)."),
        text(
            "phantom",
            "Phantom",
            description="Phantom that CTDIvol refers to: "
            f"{'; '.join(f'{name}: {what}' for name, what in PHANTOMS.items())}.",
        ),
        text("source", "Source"),
        integer("year", "Year", description="Year in which the level was published or adopted."),
        text("url", "Address", description="Web address of the source."),
        text("note", "Note"),
        flag("valid", "Valid", description="Whether doses are compared with the level."),
    ),
)
