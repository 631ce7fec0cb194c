"""Access rights: the groups that a person can be in, what each group permits, and the tables of
users, tokens, known browsers and the audit log.
"""

from .field import Table, flag, integer, moment, text, texts

# No group implies another: administration, too, permits nothing but itself.
GROUPS = {
    "view": "see studies, their doses and the outcomes of objects",
    "import sizes": "import heights and weights of patients from files",
    "query-retrieve": "search for studies in other DICOM systems and retrieve them",
    "export": "export data as files",
    "patient identity": "see who a patient is, as far as the installation keeps this information",
    "monitoring": "read the metrics, for monitoring systems",
    "administration": "manage settings, users and equipment, delete data, read the audit log",
}

ACCOUNT = Table(
    "account",
    "Users",
    "One row per user added by an administrator; users from Orthanc's configuration are not "
    "included.",
    (
        text("name", "Name"),
        text(
            "password_hash",
            "Password",
            description="Argon2id hash (RFC 9106), with its parameters and salt.",
        ),
        texts(
            "groups",
            "Groups",
            description="; ".join(f"{group}: {what}" for group, what in GROUPS.items()),
        ),
        flag("disabled", "Disabled", description="Whether the user is prevented from signing in."),
        moment("created_at", "Added", description="UTC."),
        text("created_by", "Added by", description="The administrator who added the user."),
        moment("password_changed_at", "Password changed", description="UTC."),
        text(
            "provider_subject",
            "User at the provider",
            description="Issuer and subject of a user who signs in at an OpenID Connect provider "
            "and has no password here; empty for other users.",
        ),
        text(
            "second_step",
            "Second step",
            description="Secret of the authenticator app (RFC 6238), encrypted with a key derived "
            "from identity.key; empty without a second step.",
        ),
        integer(
            "second_step_used",
            "Last code",
            description="Number, since 1970, of the period of 30 seconds whose code was used last.",
        ),
        texts(
            "recovery_codes",
            "Recovery codes",
            description="HMAC-SHA-256 of those that have not been used, with identity.key.",
        ),
    ),
)

TOKEN = Table(
    "token",
    "Tokens",
    "One row per token with which scripts act on behalf of a user.",
    (
        text("id", "Number", always=True, description="The part of the token that is not secret."),
        text("name", "Name", always=True, description="Name given by the user."),
        text(
            "user_name",
            "User",
            always=True,
            description="User whose rights the token has, as they are at the time of use.",
        ),
        text(
            "digest",
            "Digest",
            always=True,
            description="HMAC-SHA-256, keyed with the secret, of data that changes with the "
            "user's password: a token becomes invalid when the password that it was "
            "created under is changed.",
        ),
        moment("created_at", "Made", always=True, description="UTC."),
        moment("expires_at", "Expires", description="UTC; empty if the token does not expire."),
        moment("last_used_at", "Last used", description="UTC, to the day."),
    ),
)

DEVICE = Table(
    "device",
    "Known browsers",
    "One row per browser in which the correct password of a user was entered: wrong passwords "
    "from elsewhere do not lock it.",
    (
        text("id", "Number", description="The part of the cookie that is not secret."),
        text("user_name", "User"),
        text("digest", "Digest", description="As for a token."),
        moment("used_at", "Last used", description="UTC."),
    ),
)

AUDIT_LOG = Table(
    "audit_log",
    "Audit log",
    "One row per action of a user. It contains no patient names or IDs: studies are identified "
    "by their number.",
    (
        integer("number", "Number", always=True, description="Increases by one with each entry."),
        moment("at", "Time", always=True, description="UTC."),
        text(
            "user_name",
            "User",
            description="(unknown) if the given name does not belong to any user.",
        ),
        text("address", "Address", description="Network address that the request came from."),
        text(
            "way",
            "Authentication",
            description="How the user was authenticated: cookie, Basic, token or proxy.",
        ),
        text("action", "Action"),
        text("subject", "Subject", description="What the action was applied to."),
        text("details", "Details", description="Further details."),
        flag("succeeded", "Succeeded"),
    ),
)
