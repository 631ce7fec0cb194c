"""Two-step sign-in: codes, their use, and secrets in the store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyotp
import pytest

from orthanc_dose.manage import totp
from orthanc_dose.manage.limits import Limits, Locked
from orthanc_dose.manage.sealed import Unreadable, seal, unseal
from orthanc_dose.manage.second_step import RECOVERY_CODES, SecondStep, WrongCode
from orthanc_dose.manage.users import User, Users
from orthanc_dose.store import Store

# RFC 6238, appendix B, for SHA-1: seconds since 1970, and the code of 8 digits.
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
SECRET_OF_THE_RFC = b"12345678901234567890"
NOW = 1_900_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def users(store: Store) -> Users:
    users = Users(store, {"dose": "a password"}, {})
    users.add("anna", ["view"], "correct horse battery", "dose")
    return users


@pytest.fixture
def second(users: Users, store: Store, clock: Clock) -> SecondStep:
    return SecondStep(users, store.key, Limits(clock), lambda: ["administration"], clock)


def anna(users: Users) -> User:
    found = users.get("anna")
    assert found is not None
    return found


def enrol(second: SecondStep, users: Users, clock: Clock) -> tuple[pyotp.TOTP, list[str]]:
    """Switch it on as an app does, and go on to the next period."""
    app = pyotp.parse_uri(second.begin(anna(users)).address)
    assert isinstance(app, pyotp.TOTP)
    codes = second.confirm(anna(users), app.at(int(clock.now)))
    clock.now += totp.PERIOD
    return app, codes


@pytest.mark.parametrize("seconds, code", VECTORS)
def test_the_vectors_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_at(SECRET_OF_THE_RFC, seconds // 30, digits=8) == code
    # Six digits are the last six of eight (RFC 4226, 5.3: modulo a power of ten).
    assert totp.step_of(SECRET_OF_THE_RFC, code[-6:], seconds, 0) == seconds // 30


def test_an_app_reads_what_the_picture_says(second: SecondStep, users: Users) -> None:
    new = second.begin(anna(users))
    app = pyotp.parse_uri(new.address)
    assert (app.name, app.issuer, app.secret) == ("anna", "Orthanc Dose", new.secret)
    assert new.picture.startswith("data:image/svg+xml")


@pytest.mark.parametrize(
    "off, right", [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_clock_may_be_wrong_by_one_period(
    off: int, right: bool, second: SecondStep, users: Users, clock: Clock
) -> None:
    app, _ = enrol(second, users, clock)
    clock.now += 10 * totp.PERIOD
    code = app.at(int(clock.now) + off)
    if right:
        second.check(anna(users), f" {code[:3]} {code[3:]} ")
    else:
        with pytest.raises(WrongCode):
            second.check(anna(users), code)


def test_a_code_is_accepted_once_and_no_earlier_one_after_it(
    second: SecondStep, users: Users, store: Store, clock: Clock
) -> None:
    app, _ = enrol(second, users, clock)
    first = app.at(int(clock.now) - totp.PERIOD)  # the one that switched it on
    now = app.at(int(clock.now))
    with pytest.raises(WrongCode):
        second.check(anna(users), first)
    second.check(anna(users), now)
    for again in (now, first):
        with pytest.raises(WrongCode):
            second.check(anna(users), again)
    # Nor after a restart.
    later = Users(store, {}, {})
    restarted = SecondStep(later, store.key, Limits(), lambda: [], clock)
    with pytest.raises(WrongCode):
        restarted.check(anna(later), now)
    restarted.check(anna(later), app.at(int(clock.now) + totp.PERIOD))


def test_a_code_is_accepted_once_of_many_at_the_same_moment(
    second: SecondStep, users: Users, clock: Clock
) -> None:
    app, codes = enrol(second, users, clock)
    for code in (app.at(int(clock.now)), codes[0]):

        def use(_: int, code: str = code) -> bool:
            try:
                second.check(anna(users), code)
            except (WrongCode, Locked):
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(use, range(5))) == 1
        clock.now += 7200


def test_each_recovery_code_counts_once(
    second: SecondStep, users: Users, store: Store, clock: Clock
) -> None:
    _, codes = enrol(second, users, clock)
    assert len(set(codes)) == RECOVERY_CODES
    second.check(anna(users), codes[0].upper().replace("-", " "))
    with pytest.raises(WrongCode):
        second.check(anna(users), codes[0])
    later = Users(store, {}, {})
    kept = anna(later).second
    assert kept is not None and len(kept.recovery_codes) == RECOVERY_CODES - 1
    new = second.renew_recovery_codes(anna(users))
    for old in codes[1:3]:
        with pytest.raises(WrongCode):
            second.check(anna(users), old)
    second.check(anna(users), new[-1])


def test_recovery_codes_are_of_one_user(second: SecondStep, users: Users, clock: Clock) -> None:
    _, codes = enrol(second, users, clock)
    users.add("otto", [], "correct horse battery", "dose")
    otto = users.get("otto")
    assert otto is not None
    app = pyotp.parse_uri(second.begin(otto).address)
    assert isinstance(app, pyotp.TOTP)
    second.confirm(otto, app.at(int(clock.now)))
    with pytest.raises(WrongCode):
        second.check(otto, codes[0])


@pytest.mark.parametrize("code", ["", "12345", "1234567", "٣٤٥٦٧٨", "aaaaa-aaaaa", "\0", "1" * 50])
def test_what_is_no_code_is_wrong(
    code: str, second: SecondStep, users: Users, clock: Clock
) -> None:
    enrol(second, users, clock)
    with pytest.raises(WrongCode):
        second.check(anna(users), code)


def test_five_wrong_codes_lock_and_the_right_one_waits(
    second: SecondStep, users: Users, clock: Clock
) -> None:
    app, codes = enrol(second, users, clock)
    for _ in range(5):
        with pytest.raises(WrongCode):
            second.check(anna(users), "aaaaaa")
    for code in (app.at(int(clock.now)), codes[0]):
        with pytest.raises(Locked):
            second.check(anna(users), code)
    clock.now += 61
    second.check(anna(users), app.at(int(clock.now)))


def test_nothing_is_on_before_the_first_code(
    second: SecondStep, users: Users, clock: Clock
) -> None:
    with pytest.raises(WrongCode):
        second.confirm(anna(users), "000000")  # nothing was begun
    app = pyotp.parse_uri(second.begin(anna(users)).address)
    assert isinstance(app, pyotp.TOTP)
    clock.now += 601
    with pytest.raises(WrongCode):
        second.confirm(anna(users), app.at(int(clock.now)))
    assert anna(users).second is None


def test_it_is_required_of_groups_and_never_of_the_configuration(
    second: SecondStep, users: Users, clock: Clock
) -> None:
    admin = users.add("adam", ["administration"], "correct horse battery", "dose")
    configured = users.get("dose")
    assert configured is not None and configured.administers
    required = [second.is_missing(one) for one in (admin, anna(users), configured)]
    assert required == [True, False, False]


def test_a_change_of_password_or_groups_keeps_it_and_a_deleted_user_takes_it_along(
    second: SecondStep, users: Users, store: Store, clock: Clock
) -> None:
    app, _ = enrol(second, users, clock)
    users.set_password("anna", "another horse battery")
    users.change("anna", ["export"], False)
    second.check(anna(users), app.at(int(clock.now)))
    users.remove("anna")
    users.add("anna", [], "correct horse battery", "dose")
    assert anna(users).second is None


def test_the_store_does_not_reveal_the_secret(
    second: SecondStep, users: Users, store: Store, clock: Clock
) -> None:
    app, codes = enrol(second, users, clock)
    with store.reading() as connection:
        kept = str(connection.execute("SELECT * FROM account").fetchall())
    for secret in (app.secret, str(app.byte_secret()), *codes, codes[0].replace("-", "")):
        assert secret not in kept
    assert app.secret not in repr(anna(users))
    # Without the key of the installation nobody gets in.
    other = SecondStep(users, bytes(32), Limits(), lambda: [], clock)
    for code in (app.at(int(clock.now)), codes[0]):
        with pytest.raises(WrongCode):
            other.check(anna(users), code)


def test_sealed_secrets_are_of_one_key_and_one_purpose() -> None:
    key = bytes(range(32))
    sealed = seal(key, "one", b"secret")
    assert unseal(key, "one", sealed) == b"secret"
    assert seal(key, "one", b"secret") != sealed
    for wrong in ((key, "other", sealed), (bytes(32), "one", sealed), (key, "one", sealed[:-8])):
        with pytest.raises(Unreadable):
            unseal(*wrong)
    for damaged in ("", "x", "é", "AAAA"):
        with pytest.raises(Unreadable):
            unseal(key, "one", damaged)
