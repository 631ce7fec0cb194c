"""The routes of tokens, with which scripts act on behalf of a user."""

from typing import Annotated, Any

from ..manage.tokens import LONGEST_LIFE, MOST_OF_ONE, TooManyTokens
from ..query.objects import utc
from ..records.given import LINE, Given, Meta
from ..records.rows import TokenRow
from .answer_schemas import (
    FLAG,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
)
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import SIGNED_IN, Caller, Route
from .services import Services


class NewToken(Given):
    """A token to be created."""

    name: Annotated[
        str,
        Meta(
            description="Purpose of the token.",
            min_length=1,
            max_length=100,
            pattern=LINE,
            extra={"words": "a line of 1 to 100 characters"},
        ),
    ]
    days: Annotated[
        Annotated[int, Meta(ge=1, le=LONGEST_LIFE)] | None,
        Meta(description="Number of days for which the token is valid; null for no expiry."),
    ] = None


def list_tokens(services: Services, caller: Caller, of: str) -> dict[str, Any]:
    if of == "everybody" and "administration" not in caller.groups:
        raise ApiError(
            403, "not_allowed", 'Tokens of other users require the group "administration".', "of"
        )
    return {
        "tokens": [
            _token_answer(row)
            for row in services.access.tokens.list_tokens(
                None if of == "everybody" else caller.name
            )
        ]
    }


def make_token(services: Services, caller: Caller, body: NewToken) -> dict[str, Any]:
    if caller.way == "token":
        raise ApiError(
            403,
            "not_allowed",
            "A token cannot be used to create another token: sign in with the password instead.",
        )
    if caller.must_enrol:
        raise ApiError(
            403, "second_step_missing", "First set up two-step sign-in, on the page Account."
        )
    user = services.access.users.get(caller.name)
    if user is None:
        raise ApiError(
            409,
            "unknown_user",
            "Only users who are managed here or in Orthanc's configuration can have tokens.",
        )
    if user.subject:
        raise ApiError(
            409,
            "from_provider",
            "Users who sign in at the provider cannot have tokens, which would outlive their "
            "rights there: ask an administrator to add a user for the script.",
        )
    try:
        row, token = services.access.tokens.make(user, body.name.strip(), body.days)
    except TooManyTokens as error:
        raise ApiError(
            409, "too_many", f"A user can have at most {MOST_OF_ONE} tokens: withdraw one first."
        ) from error
    services.audit.note(caller, "token made", f"token {row['id']}", row["name"])
    return {"token": _token_answer(row), "secret": token}


def withdraw_token(services: Services, caller: Caller, id: str) -> dict[str, Any]:
    if not services.access.tokens.withdraw(
        id, None if "administration" in caller.groups else caller.name
    ):
        raise not_found("There is no token with this number, or it belongs to another user.", "id")
    return {"withdrawn": True}


def _token_answer(row: TokenRow) -> dict[str, Any]:
    return {
        **row,
        "created_at": utc(row["created_at"]),
        "expires_at": utc(row["expires_at"]),
        "last_used_at": row["last_used_at"] and row["last_used_at"].date(),
    }


_TOKEN = component(
    "token",
    any_object(
        id=TEXT,
        name=TEXT,
        user_name=TEXT,
        created_at=TEXT,
        expires_at=TEXT_OR_NULL,
        last_used_at=TEXT_OR_NULL,
    ),
)

TOKEN_ROUTES: tuple[Route, ...] = (
    Route("GET", "/tokens", list_tokens, "List your own tokens or, for administrators, all tokens",
          {200: any_object(tokens=array(_TOKEN))},
          (Parameter("of", "choice", "Whose tokens to list.", "me", allowed=("me", "everybody")),),
          (403,), "Access", with_caller=True,
          needs=SIGNED_IN),
    Route("POST", "/tokens", make_token, "Create a token, which is shown only once",
          {200: any_object(token=_TOKEN, secret=TEXT)},
          (), (403, 409, 413), "Access",
          "Use it as `Authorization: Bearer`; it has the rights that you have at the time of "
          "use. It becomes invalid after `days`, when you withdraw it, or when you change your "
          "password.",
          body=NewToken, with_caller=True, needs=SIGNED_IN),
    Route("DELETE", "/tokens/{id}", withdraw_token,
          "Withdraw one of your own tokens or, for administrators, any token",
          {200: any_object(withdrawn=FLAG)}, (Parameter("id", "word", "Its number.", maximum=40, in_path=True),), (403, 404),
          "Access", with_caller=True, needs=SIGNED_IN, action="token withdrawn"),
)  # fmt: skip
