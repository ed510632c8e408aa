"""The table of retries: bounds that must hold for every kind."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import retries
from messaging.retries import ClearUp, Kind, backoff

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


@given(st.sampled_from(list(Kind)), st.integers(0, 5000))
def test_the_delay_never_leaves_its_bounds(kind: Kind, failures: int) -> None:
    delay = backoff(kind, failures).total_seconds()
    assert 0 <= delay <= retries.RULES[kind].cap


def test_the_jitter_spreads_a_burst_of_failures() -> None:
    delays = {backoff(Kind.INFORMATION, 3) for _ in range(50)}
    assert len(delays) > 40


def test_a_code_goes_before_credentials_and_those_before_information() -> None:
    order = sorted(Kind, key=lambda kind: retries.RULES[kind].priority)
    assert order == [Kind.CODE, Kind.CREDENTIALS, Kind.INFORMATION]


@pytest.mark.parametrize("kind", Kind)
def test_tries_end_no_sooner_than_validity_could(kind: Kind) -> None:
    """With the longest delays there must be tries left at the end, or a short outage would lose messages."""
    rule = retries.RULES[kind]
    average = sum(min(rule.cap, rule.base * 2 ** min(n, 20)) / 2 for n in range(rule.tries))
    assert average >= 0.5 * rule.validity.total_seconds()


@pytest.mark.parametrize(
    ("kind", "unclear", "key", "look_up", "plan"),
    [
        (Kind.INFORMATION, 1, True, True, ClearUp.SAME_KEY),
        (Kind.INFORMATION, 9, True, False, ClearUp.SAME_KEY),
        (Kind.INFORMATION, 1, False, True, ClearUp.LOOK_UP),
        (Kind.INFORMATION, 1, False, False, ClearUp.PERSON),
        (Kind.CREDENTIALS, 1, False, False, ClearUp.REPEAT),
        (Kind.CREDENTIALS, 2, False, False, ClearUp.PERSON),
        (Kind.CODE, 1, False, False, ClearUp.REPEAT),
        (Kind.CODE, 2, False, False, ClearUp.PERSON),
    ],
)
def test_the_provider_decides_how_an_unclear_outcome_is_cleared_up(
    kind: Kind, unclear: int, key: bool, look_up: bool, plan: ClearUp
) -> None:
    assert retries.clear_up(kind, unclear, dedupe_key=key, can_look_up=look_up) is plan


@pytest.mark.parametrize("kind", Kind)
def test_no_kind_is_valid_for_longer_than_a_text_may_be_kept(kind: Kind) -> None:
    """The wiping of texts relies on it: it looks at the end of validity alone."""
    assert retries.RULES[kind].validity <= retries.LONGEST_KEPT_TEXT


def test_questions_for_receipts_become_rarer_and_never_stop() -> None:
    delays = [retries.query_delay(asked) for asked in range(40)]
    assert delays == sorted(delays)
    assert delays[-1] == timedelta(seconds=retries.QUERY_DELAYS[-1])
