"""Access rights: the groups that a person can be in, what each group permits, and the tables of
users, tokens, known browsers and the audit log.
"""

from .field import Table, flag, integer, moment, text, texts

# No group implies another: administration, too, permits nothing but itself.
GROUPS = {
    "view": "see studies, their doses and what became of objects",
    "import sizes": "read height and weight of patients from files",
    "query-retrieve": "look for studies in other DICOM systems, and fetch them",
    "export": "take data out as files",
    "patient identity": "see who a patient is, as far as the installation keeps it",
    "administration": "settings, users, equipment, deleting, the audit log",
}

ACCOUNT = Table(
    "account",
    "Users",
    "One row a user whom an administrator added; those of Orthanc's configuration are not in it.",
    (
        text("name", "Name"),
        text(
            "password_hash",
            "Password",
            description="Argon2id (RFC 9106), with its parameters and salt.",
        ),
        texts(
            "groups",
            "Groups",
            description="; ".join(f"{group}: {what}" for group, what in GROUPS.items()),
        ),
        flag("disabled", "Disabled", description="Cannot sign in."),
        moment("created_at", "Added", description="UTC."),
        text("created_by", "Added by", description="The administrator."),
        moment("password_changed_at", "Password changed", description="UTC."),
    ),
)

TOKEN = Table(
    "token",
    "Tokens",
    "One row a token with which a script comes in the name of a user.",
    (
        text("id", "Number", always=True, description="The part of the token that is no secret."),
        text("name", "Name", always=True, description="What the user calls it."),
        text(
            "user_name",
            "User",
            always=True,
            description="Whose rights it has, as far as the user has them at the time of use.",
        ),
        text(
            "digest",
            "Digest",
            always=True,
            description="HMAC-SHA-256, with the secret as key, of what changes with the user's "
            "password: a token ends with the"
            " password that it was made under.",
        ),
        moment("created_at", "Made", always=True, description="UTC."),
        moment("expires_at", "Ends", description="UTC; nothing where it has no end."),
        moment("last_used_at", "Last used", description="UTC, to the day."),
    ),
)

DEVICE = Table(
    "device",
    "Known browsers",
    "One row a browser in which the right password of a user was given: wrong passwords from elsewhere "
    "do not lock it.",
    (
        text("id", "Number", description="The part of the cookie that is no secret."),
        text("user_name", "User"),
        text("digest", "Digest", description="As that of a token."),
        moment("used_at", "Last used", description="UTC."),
    ),
)

AUDIT_LOG = Table(
    "audit_log",
    "Audit log",
    "One row what somebody did. It holds no patient's name or ID: studies by their number.",
    (
        integer("number", "Number", always=True, description="Grows by one with each entry."),
        moment("at", "When", always=True, description="UTC."),
        text("user_name", "User", description="(unknown) where a name was given that no user has."),
        text("address", "Address", description="Where the request came from."),
        text("way", "Way", description="How the user was known: cookie, Basic, token, proxy."),
        text("action", "Action"),
        text("subject", "Subject", description="What it was done to."),
        text("details", "Details", description="What else is to be known of it."),
        flag("succeeded", "Succeeded"),
    ),
)
