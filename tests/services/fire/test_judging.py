"""The judge complains of every book that is wrong, and of none that is right."""

import pytest

from tests.services.fire.judging import Figures, Ours, Theirs, judge

A, B = "+79160000001", "+79160000002"


def ours(phone: str = A, **known: object) -> Ours:
    return Ours(**{"number": int(phone[-1]), "phone": phone, "gateway": "key", **known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "theirs"),
    [
        (ours(), [Theirs(A)]),
        (ours(state="delivered", attempts=2, unclear=1), [Theirs(A), Theirs(A, taken=False)]),
        (ours(state="unresolved", gateway="neither", unclear=1), []),
        (ours(state="unresolved", gateway="neither", unclear=1), [Theirs(A)]),
        (ours(gateway="neither", kind="credentials", attempts=2, unclear=1), [Theirs(A), Theirs(A)]),
    ],
)
def test_it_finds_nothing_wrong_with_a_right_book(message: Ours, theirs: list[Theirs]) -> None:
    verdict = judge({A: 1}, [message], theirs)
    assert (list(verdict.complaints), verdict.unaccounted, verdict.all.lost) == ([], 0, 0)


@pytest.mark.parametrize("state", ["submitted", "no_receipt", "delivered", "failed", "lapsed", "queued", "submitting"])
def test_a_message_that_never_arrived_is_lost_unless_we_say_that_we_do_not_know(state: str) -> None:
    verdict = judge({A: 1}, [ours(state=state)], [])
    assert verdict.all.lost == 1
    assert "lost" in verdict.complaints[0]


def test_a_message_that_is_not_in_our_book_is_lost() -> None:
    verdict = judge({A: 1, B: 2}, [ours()], [Theirs(A)])
    assert verdict.all == Figures(accepted=1, sent=1, lost=1)
    assert verdict.complaints == [f"message 2 to {B} was accepted and is not in our book"]


@pytest.mark.parametrize(
    ("message", "copies"),
    [
        (ours(attempts=2, unclear=1), 2),
        (ours(gateway="look-up", attempts=2, unclear=1), 2),
        (ours(gateway="neither", attempts=2, unclear=1), 2),
        (ours(gateway="neither", kind="credentials", attempts=2), 2),
        (ours(gateway="neither", kind="credentials", attempts=3, unclear=2), 3),
    ],
)
def test_a_copy_too_many_is_one_however_it_came(message: Ours, copies: int) -> None:
    verdict = judge({A: 1}, [message], [Theirs(A)] * copies)
    assert verdict.all.extra == copies - 1
    assert any("extra" in complaint for complaint in verdict.complaints)


def test_what_was_taken_may_not_be_called_failed() -> None:
    assert "a lie" in judge({A: 1}, [ours(state="failed")], [Theirs(A)]).complaints[0]


def test_what_was_handed_over_must_be_on_record() -> None:
    assert "0 are on record" in judge({A: 1}, [ours(attempts=0)], [Theirs(A)]).complaints[0]


def test_what_nobody_asked_for_is_unaccounted_for() -> None:
    sent = judge({A: 1}, [ours()], [Theirs(A), Theirs(B)])
    accepted = judge({A: 1}, [ours(), ours(B)], [Theirs(A), Theirs(B)])
    twice = judge({A: 1}, [ours(), ours()], [Theirs(A)])
    assert [sent.unaccounted, accepted.unaccounted, twice.unaccounted] == [1, 1, 1]
    assert all(verdict.complaints for verdict in (sent, accepted, twice))


def test_it_counts_each_gateway_by_itself() -> None:
    verdict = judge({A: 1, B: 2}, [ours(), ours(B, gateway="neither", state="unresolved")], [Theirs(A)])
    assert verdict.figures == {
        "key": Figures(accepted=1, sent=1),
        "neither": Figures(accepted=1, unclear=1),
    }
    assert str(verdict).startswith("accepted 2, sent 1, extra 0, lost 0, unclear 1, unaccounted 0 (key: accepted 1")
