"""Of a long posting some go together in one call, and each message goes once."""

import pytest

from tests.services.fire.posting import BATCH, BATCH_EVERY, batch_of


@pytest.mark.parametrize("messages", [1, BATCH_EVERY - 1, BATCH_EVERY, 3 * BATCH_EVERY + BATCH])
def test_each_message_goes_once(messages: int) -> None:
    calls = [batch_of(place, messages) for place in range(messages)]
    assert [one for place, call in enumerate(calls) if place == call[0] for one in call] == list(range(messages))
    assert sum(len(call) == BATCH for call in calls) == messages // BATCH_EVERY * BATCH
