"""Limits of guessing passwords: what is locked, what a proof opens, and that nobody shuts others
out.
"""

from __future__ import annotations

import hashlib
import itertools

import pytest

from orthanc_dose.manage.limits import OF_ADDRESS, OF_NAME, Attempt, Limits, Locked, ProofNeeded
from orthanc_dose.manage.peers import Peers, UnnamedProxy
from orthanc_dose.manage.proofs import FEWEST_BITS, LIFETIME, MOST_BITS, Proof, Proofs, zero_bits

HERE, THERE = "10.0.0.1", "192.0.2.7"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def solve(challenge: str, bits: int) -> Proof:
    """As the documentation says it, without any code of ours."""
    start = hashlib.sha256(challenge.encode()).digest()
    for number in itertools.count():
        found = hashlib.sha256(start + number.to_bytes(8, "big")).digest()
        if int.from_bytes(found, "big") >> (256 - bits) == 0:
            return Proof(challenge, number)
    raise AssertionError


@pytest.fixture(autouse=True)
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bits: the numbers are those of the program, less the same of both."""
    monkeypatch.setattr("orthanc_dose.manage.limits.FEWEST_BITS", 3)
    monkeypatch.setattr("orthanc_dose.manage.limits.MOST_BITS", 3 + MOST_BITS - FEWEST_BITS)


def left(limits: Limits, name: str, address: str) -> int:
    try:
        limits.of_script(name, address)
    except Locked as error:
        return error.seconds
    return 0


def asked(
    limits: Limits, name: str, address: str, proof: Proof | None = None
) -> ProofNeeded | None:
    try:
        limits.of_browser(name, address, proof)
    except ProofNeeded as error:
        return error
    return None


def fail(limits: Limits, name: str, address: str, times: int = 1) -> None:
    """Wrong passwords by a script, whether it is locked or not."""
    for _ in range(times):
        limits.of_script(name, address).failed()


def proven(limits: Limits, name: str, address: str) -> Attempt:
    needed = asked(limits, name, address)
    assert needed is not None
    return limits.of_browser(name, address, solve(needed.challenge, needed.bits))


def test_locks_double_up_to_an_hour_and_end() -> None:
    clock = Clock()
    limits, lengths = Limits(clock), []
    for _ in range(9):
        locked = [limits.of_script("anna", HERE).failed() for _ in range(OF_NAME)]
        assert locked == [False] * (OF_NAME - 1) + [True]
        lengths.append(left(limits, "ANNA", HERE) - 1)
        clock.now += lengths[-1] - 1
        assert left(limits, "anna", HERE) > 0
        clock.now += 2
        assert left(limits, "anna", HERE) == 0
    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert left(limits, "berta", THERE) == 0


def test_the_right_password_begins_the_count_of_the_name_anew_but_not_of_the_address() -> None:
    limits = Limits(Clock())
    for number in range(OF_ADDRESS):
        if number % (OF_NAME - 1) == 0:
            limits.of_script("anna", HERE).succeeded()
        fail(limits, "anna", HERE)
    assert left(limits, "anna", THERE) == 0 and left(limits, "berta", HERE) > 0


def test_typing_errors_far_apart_do_not_add_up() -> None:
    clock = Clock()
    limits = Limits(clock)
    for _ in range(3 * OF_NAME):
        assert limits.of_script("anna", HERE).failed() is False
        clock.now += 1000


def test_one_ipv6_network_is_one_address() -> None:
    limits = Limits(Clock())
    for number in range(OF_ADDRESS):
        fail(limits, f"name {number}", f"2001:db8:0:1::{number:x}")
    assert left(limits, "", "2001:db8:0:1:ffff::1") > 0 and left(limits, "", "2001:db8:0:2::1") == 0


def test_made_up_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_dose.manage.limits._MOST", 50)
    clock = Clock()
    limits = Limits(clock)
    for number in range(500):
        clock.now += 1000
        fail(limits, f"name {number}", HERE)
    assert len(limits._wrong) == 50


# --- nobody shuts others out ---


def test_a_stranger_does_not_lock_scripts_of_a_user_at_another_address() -> None:
    clock = Clock()
    limits = Limits(clock)
    for _ in range(20):
        fail(limits, "anna", THERE, OF_NAME)
        assert left(limits, "anna", THERE) > 0 and left(limits, "anna", HERE) == 0
        limits.of_script("anna", HERE).succeeded()
        assert left(limits, "anna", THERE) > 0, "nor does the user's success unlock the stranger"
        clock.now += left(limits, "anna", THERE)


def test_many_addresses_have_one_guess_each_while_a_name_is_locked() -> None:
    limits = Limits(Clock())
    fail(limits, "anna", THERE, OF_NAME)
    for number in range(100):
        address = f"10.1.0.{number}"
        fail(limits, "anna", address)
        assert left(limits, "anna", address) > 0
    # Of IPv6 2^16 networks count as one here: they cost nothing.
    fail(limits, "anna", "2001:db8:0:1::1")
    assert left(limits, "anna", "2001:db8:0:ffff::1") > 0


def test_a_browser_is_never_locked_but_asked_for_proofs_of_growing_work() -> None:
    clock = Clock()
    limits = Limits(clock, lambda: 0.0)
    assert asked(limits, "anna", HERE) is None
    fail(limits, "anna", THERE, OF_NAME)
    bits = []
    for _ in range(8):
        needed = asked(limits, "anna", THERE)
        assert needed is not None and not needed.again
        bits.append(needed.bits - 3)
        proven(limits, "anna", THERE).failed()
    assert bits == [0, 1, 2, 3, 4, 4, 4, 4], "the work doubles up to a limit"
    # From elsewhere, too, the right password passes with a proof.
    proven(limits, "anna", HERE).succeeded()
    assert asked(limits, "berta", HERE) is None


def test_an_address_that_guessed_much_is_asked_for_proofs_for_every_name() -> None:
    limits = Limits(Clock())
    for number in range(OF_ADDRESS):
        fail(limits, f"name {number}", HERE)
    assert asked(limits, "anna", THERE) is None
    proven(limits, "anna", HERE).succeeded()
    proven(limits, "berta", HERE).succeeded()


@pytest.mark.parametrize(
    "wrong", ["bits", "name", "address", "changed", "old", "twice", "rubbish", "other server"]
)
def test_a_proof_holds_once_soon_and_for_what_it_was_asked_for(wrong: str) -> None:
    clock = Clock()
    limits = Limits(clock, lambda: 0.0)
    fail(limits, "anna", HERE, OF_NAME)
    fail(limits, "berta", HERE, OF_NAME)
    needed = asked(limits, "anna", HERE)
    assert needed is not None
    proof, name, address = solve(needed.challenge, needed.bits), "anna", HERE
    if wrong == "bits":
        numbers = (Proof(needed.challenge, number) for number in itertools.count())
        proof = next(one for one in numbers if zero_bits(one) < needed.bits)
    elif wrong == "name":
        name = "berta"
    elif wrong == "address":
        address = THERE
    elif wrong == "changed":
        nonce, ends, _, sign = needed.challenge.split(".")
        proof = solve(f"{nonce}.{ends}.0.{sign}", needed.bits)
    elif wrong == "old":
        clock.now += LIFETIME + 1
        fail(limits, "anna", HERE, OF_NAME)
    elif wrong == "twice":
        limits.of_browser(name, address, proof)
    elif wrong == "rubbish":
        proof = Proof("ü.1.2.x", 5)
    else:
        proof = solve(Proofs(clock).challenge(3, "anna\0" + HERE), 3)
    again = asked(limits, name, address, proof)
    assert again is not None and again.again and again.challenge != needed.challenge


def test_hardware_that_makes_proofs_guesses_no_faster_and_takes_not_every_turn() -> None:
    clock, chances = Clock(), itertools.cycle([0.25, 0.5, 0.75, 1.0])
    limits = Limits(clock, lambda: next(chances))
    fail(limits, "anna", HERE, OF_NAME)
    looked_at, start = 0, clock.now
    while clock.now < start + 10 * 3600:
        needed = asked(limits, "anna", HERE)
        if needed is None:  # the lock is over: as many guesses as ever
            fail(limits, "anna", HERE)
            continue
        try:
            attempt = limits.of_browser("anna", HERE, solve(needed.challenge, needed.bits))
        except ProofNeeded as error:
            assert error.again
        else:
            looked_at += 1
            attempt.failed()
        clock.now += 5
    # The mean of the chances is 0.625, and the longest turn 240 s: one in 150 s.
    assert 200 < looked_at < 300
    # Whoever comes from elsewhere does not wait for these turns.
    proven(limits, "anna", THERE).succeeded()


def test_a_known_browser_has_a_count_of_its_own() -> None:
    limits = Limits(Clock())
    fail(limits, "anna", HERE, OF_NAME)
    limits.of_known("browser 1").succeeded()
    assert [limits.of_known("browser 1").failed() for _ in range(OF_NAME)] == [False] * 4 + [True]
    with pytest.raises(Locked):
        limits.of_known("browser 1")
    limits.of_known("browser 2")
    assert asked(limits, "berta", THERE) is None, "it locks nobody else"


# --- a proxy that nobody named ---


def came(*requests: tuple[str, str, str, bool]) -> UnnamedProxy | None:
    """Peer, header that a proxy sends, user, whether it is named."""
    peers = Peers()
    for peer, header, user, trusted in requests:
        peers.note(peer, {header: "1.2.3.4"} if header else {}, user, trusted)
    return peers.unnamed_proxy()


def test_a_proxy_that_nobody_named_is_seen_and_nothing_else() -> None:
    local, proxy = "127.0.0.1", "172.18.0.5"
    assert came() is None
    assert came((local, "", "anna", False), (local, "", "anna", False)) is None, (
        "one user's machine"
    )
    assert came((local, "x-forwarded-for", "anna", False)) == UnnamedProxy(local, True, 1)
    assert came((proxy, "forwarded", "anna", False)) == UnnamedProxy(proxy, True, 1)
    assert came((proxy, "", "anna", False), (proxy, "", "berta", False)) == UnnamedProxy(
        proxy, False, 2
    )
    assert came((proxy, "x-forwarded-for", "anna", True), (proxy, "", "berta", True)) is None
    assert came((HERE, "", "anna", False), (THERE, "", "berta", False)) is None
    made_up = (HERE, "x-forwarded-for", "anna", False)
    assert came(made_up, (THERE, "", "berta", False)) is None


def test_where_requests_came_from_is_forgotten_after_a_day() -> None:
    clock = Clock()
    peers = Peers(clock)
    peers.note(THERE, {}, "berta", False)
    peers.note(HERE, {"via": "1.1 x"}, "anna", False)
    assert peers.unnamed_proxy() is None
    clock.now += 80_000
    peers.note(HERE, {"via": "1.1 x"}, "anna", False)
    clock.now += 10_000
    assert peers.unnamed_proxy() == UnnamedProxy(HERE, True, 1)
