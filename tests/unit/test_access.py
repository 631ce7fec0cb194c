"""The pure parts of who may come in: sessions, proxies, users, tokens, the
audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from orthanc_dose.config import ConfigError, read_configuration
from orthanc_dose.manage import audit_log, passwords
from orthanc_dose.manage.access import Caller
from orthanc_dose.manage.proxies import Proxies
from orthanc_dose.manage.sessions import Sessions
from orthanc_dose.manage.tokens import MOST_OF_ONE, Tokens, TooManyTokens
from orthanc_dose.manage.users import AccountError, Users
from orthanc_dose.records.access import GROUPS
from orthanc_dose.rest.routes import Route
from orthanc_dose.store import Store


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_route_without_a_rule_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="needs"):
        Route("GET", "/x", lambda: {}, "x", {})  # type: ignore[call-arg]


def test_a_session_ends_when_nobody_uses_it() -> None:
    clock = Clock()
    sessions = Sessions(lambda: 3600.0, clock)
    secret = sessions.start_session("anna", "s")
    for _ in range(3):
        clock.now += 3000
        assert sessions.find(secret) == ("anna", "s")
    clock.now += 3601
    assert sessions.find(secret) is None
    assert sessions.find("") is sessions.find("x") is None


def test_a_user_has_so_many_sessions_at_most_and_the_oldest_ends() -> None:
    clock = Clock()
    sessions = Sessions(lambda: 1e9, clock)
    first, other = sessions.start_session("anna", ""), sessions.start_session("berta", "")
    for _ in range(50):
        clock.now += 1
        last = sessions.start_session("anna", "")
    assert sessions.find(first) is None and sessions.find(last) and sessions.find(other)


@pytest.mark.parametrize(("peer", "told", "address"), [
    ("10.0.0.1", "", "10.0.0.1"), ("10.0.0.1", "1.2.3.4", "1.2.3.4"), ("10.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"),
    ("10.0.0.1", "1.2.3.4, 10.0.0.2", "1.2.3.4"), ("10.0.0.1", "1.2.3.4, rubbish", "10.0.0.1"),
    ("11.0.0.1", "1.2.3.4", "11.0.0.1"), ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"), ("", "1.2.3.4", ""),
    ("not an address", "1.2.3.4", ""),
])  # fmt: skip
def test_the_address_is_that_of_the_browser_where_a_proxy_says_it(
    peer: str, told: str, address: str
) -> None:
    proxies = Proxies("x-user", (ip_network("10.0.0.0/24"),))
    assert proxies.address({"x-forwarded-for": told} if told else {}, peer) == address


def test_headers_of_others_than_proxies_mean_nothing() -> None:
    proxies = Proxies("x-user", (ip_network("10.0.0.1"),))
    headers = {"x-user": " anna ", "x-forwarded-proto": "https"}
    assert (proxies.user(headers, "10.0.0.1"), proxies.https(headers, "10.0.0.1")) == ("anna", True)
    for peer in ("10.0.0.2", "", "::1", "rubbish"):
        assert (proxies.user(headers, peer), proxies.https(headers, peer)) == (None, False)
    assert Proxies().user({"": "anna", "x-user": "anna"}, "10.0.0.1") is None
    assert proxies.user({"x-user": "  "}, "10.0.0.1") is None
    assert Proxies(tls=True).https({}, "1.2.3.4")


@pytest.mark.parametrize(("section", "words"), [
    ({"OrthancUsers": ["anna"]}, ["Dose.OrthancUsers", "object"]), ({"OrthancUsers": {"anna": "view"}}, ["Dose.OrthancUsers"]),
    ({"OrthancUsers": {"anna": [1]}}, ["Dose.OrthancUsers"]), ({"TrustedUserHeader": 5}, ["Dose.TrustedUserHeader"]),
    ({"TrustedUserHeader": "X User", "TrustedProxies": ["10.0.0.1"]}, ["Dose.TrustedUserHeader", "header"]),
    ({"TrustedUserHeader": "X-User"}, ["Dose.TrustedUserHeader", "TrustedProxies"]),
    ({"TrustedProxies": "10.0.0.1"}, ["Dose.TrustedProxies", "list"]),
    ({"TrustedProxies": ["10.0.0.1/8"]}, ["Dose.TrustedProxies", "10.0.0.1/8"]),
])  # fmt: skip
def test_wrong_keys_of_access_are_named(
    tmp_path: Path, section: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_configuration(section, tmp_path)
    assert all(word in str(caught.value) for word in words)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with little memory: what is tested here is not how long it takes."""
    monkeypatch.setattr(
        passwords, "_hasher", type(passwords._hasher)(time_cost=1, memory_cost=64, parallelism=1)
    )


def refused(do: Any) -> str:
    with pytest.raises(AccountError) as caught:
        do()
    assert str(caught.value).endswith(".")
    return caught.value.code


def test_the_last_administrator_stays(store: Store) -> None:
    users = Users(store, {"pacs": "x"}, {"pacs": ["orthanc"]})
    assert not users.have_administrator
    users.add("anna", ["administration", "view"], "a long password", "")
    assert refused(lambda: users.remove("anna")) == "last_administrator"
    assert refused(lambda: users.change("anna", ["view"], False)) == "last_administrator"
    assert refused(lambda: users.change("anna", ["administration"], True)) == "last_administrator"
    users.change("anna", ["administration"], False)
    users.add("berta", ["administration"], "a long password", "anna", disabled=True)
    assert refused(lambda: users.remove("anna")) == "last_administrator", (
        "one who is disabled administers nothing"
    )
    users.change("berta", ["administration"], False)
    users.remove("anna")
    assert refused(lambda: users.remove("berta")) == "last_administrator"
    assert Users(store, {"dose": "x"}, {}).have_administrator
    Users(store, {"dose": "x"}, {}).remove("berta")


@pytest.mark.parametrize(
    "name", ["", " ", "a:b", "a/b", "a\nb", " anna", "x" * 61, "<b>", "a  b", "a\u202eb"]
)
def test_names_are_plain(store: Store, name: str) -> None:
    users = Users(store, {}, {})
    assert refused(lambda: users.add(name, [], "a long password", "")) == "bad_name"


def test_a_name_that_looks_like_another_is_taken(store: Store) -> None:
    users = Users(store, {"Dose": "x"}, {})
    users.add("Änne", [], "a long password", "")
    for name in ("dose", "DOSE", "ｄｏｓｅ", "änne", "A\u0308nne"):
        assert refused(lambda name=name: users.add(name, [], "a long password", "")) in (
            "taken",
            "bad_name",
        )


def test_hashes_are_made_anew_when_their_parameters_change(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = Users(store, {}, {})
    before = users.add("anna", [], "a long password", "")
    assert before.secret.startswith("$argon2id$") and "a long password" not in repr(before)
    token = Tokens(store, users).make(before, "x", None)[1]
    monkeypatch.setattr(
        passwords, "_hasher", type(passwords._hasher)(time_cost=2, memory_cost=64, parallelism=1)
    )
    assert not users.is_password("anna", "another password")
    assert users.get("anna") == before
    assert users.is_password("anna", "a long password")
    after = Users(store, {}, {}).get("anna")
    assert after and after.secret != before.secret and after.stamp == before.stamp
    assert users.is_password("anna", "a long password") and Tokens(store, users).user(token)


def test_tokens_end(store: Store) -> None:
    users = Users(store, {"dose": "secret"}, {})
    dose = users.get("dose")
    assert dose
    tokens = Tokens(store, users)
    row, token = tokens.make(dose, "x", 5)
    assert tokens.user(token) == dose
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in ("", token[:-1], token + "x", token.replace("dose_", "dose_0"), other):
        assert tokens.user(wrong) is None
    with store.writing() as connection:
        kept = str(connection.execute("SELECT * FROM token").fetchall())
        assert token.rsplit("_", 1)[1] not in kept and "secret" not in kept
        connection.execute("UPDATE token SET expires_at = $1", [datetime.now() - timedelta(days=2)])
    assert tokens.user(token) is None
    assert Tokens(store, Users(store, {"dose": "another"}, {})).user(token) is None
    assert not tokens.withdraw(row["id"], "somebody else") and tokens.withdraw(row["id"], None)
    for _ in range(MOST_OF_ONE):
        tokens.make(dose, "x", None)
    with pytest.raises(TooManyTokens):
        tokens.make(dose, "x", None)


@dataclass
class Somebody:
    name: str = "anna"
    address: str = "10.0.0.1"
    way: str = "cookie"


def test_the_log_goes_on_numbering_and_forgets_what_is_old(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    log = audit_log.AuditLog(store)
    for number in range(3):
        log.note(Somebody(), "test", f"n {number}", "d" * 9999)
    audit_log.AuditLog(store).note(Caller(), "test")
    with store.writing() as connection:
        connection.execute("UPDATE audit_log SET \"at\" = '2020-01-01' WHERE number <= 2")
        assert audit_log.forget_entries_before(connection, datetime(2021, 1, 1)) == 2
    with store.reading() as connection:
        page = audit_log.page_of_entries(connection, {}, 10, 0)
        assert [(one["number"], one["user_name"]) for one in page["entries"]] == [
            (4, audit_log.UNKNOWN),
            (3, "anna"),
        ]
        assert max(len(one["details"]) for one in page["entries"]) == 2000
        assert (
            audit_log.page_of_entries(connection, {"from": datetime(2030, 1, 1)}, 10, 0)["total"]
            == 0
        )
    store.close()
    log.note(Somebody(), "sign-in", "x")
    said = caplog.messages
    assert len(said) == 1 and "sign-in" in said[0] and "anna" in said[0], (
        "what the store cannot take goes to the log"
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_of_the_export_is_a_formula(store: Store, text: str) -> None:
    audit_log.AuditLog(store).note(Somebody(name=text), "test", text, text)
    with store.reading() as connection:
        raw = audit_log.entries_as_csv(connection, {}).decode("utf-8-sig")
    assert f"'{text}" in raw and f",{text}" not in raw and f'"{text}' not in raw


def test_no_group_brings_another() -> None:
    for group in GROUPS:
        caller = Caller("anna", frozenset({group}))
        assert [other for other in GROUPS if caller.may((other,))] == [group]
        assert caller.may(()) and caller.may(None)
    assert (
        not Caller().may(())
        and not Caller(groups=frozenset(GROUPS)).may(("view",))
        and Caller().may(None)
    )
