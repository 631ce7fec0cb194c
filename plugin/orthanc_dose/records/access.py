"""Who may do what: the groups that a person can be in, and what each opens."""

# None brings another with it: administration, too, opens nothing but itself.
GROUPS = {
    "view": "see studies, their doses and what became of objects",
    "import sizes": "read height and weight of patients from files",
    "query-retrieve": "look for studies in other DICOM systems, and fetch them",
    "export": "take data out as files",
    "patient identity": "see who a patient is, as far as the installation keeps it",
    "administration": "settings, users, equipment, deleting, the audit log",
}
