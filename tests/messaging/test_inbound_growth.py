"""However much people wrote, a program that asks for what has come since reads no more of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gateways.models import Gateway
from messaging.models import InboundMessage
from portal.bulk.inserting import insert_copies
from portal.encryption import encrypt
from portal.models import User
from tests.messaging import test_growth
from tests.messaging.programs import PHONE, call, key_of
from tests.messaging.targetsms import INCOMING, as_attributes, post, read
from tests.messaging.test_growth import _analyse, watched, without_what_others_left

pytestmark = pytest.mark.django_db

DAYS, EACH_DAY = 100, 200


@pytest.fixture
def history(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """People have written every day, yesterday for the last time."""
    monkeypatch.setattr(test_growth, "GROWING", ("messaging_inboundmessage",))
    without_what_others_left()
    text = encrypt("Where is the Wi-Fi?")
    for day in range(DAYS):
        at = timezone.now() - timedelta(days=DAYS - day)
        one = InboundMessage(gateway=sandbox, phone=PHONE, at=at, received_at=at)
        insert_copies(one, ("fingerprint", "text"), [(f"{day} {number}", text) for number in range(EACH_DAY)])
    _analyse()
    return sandbox


def test_what_has_come_since_is_found_by_when_it_came(history: Gateway, auditor: User) -> None:
    now = timezone.now()
    for number in range(3):
        InboundMessage.objects.create(gateway=history, phone=PHONE, text="STOP", fingerprint=f"new {number}")
    a_moment_ago = now - timedelta(minutes=1)
    InboundMessage.objects.filter(fingerprint__startswith="new").update(received_at=a_moment_ago, at=a_moment_ago)
    since = now - timedelta(hours=1)
    period = f'<time start="{timezone.localtime(since):%Y-%m-%d %H:%M:%S}"/>'
    key = key_of(auditor)
    with watched():
        rows = call("/getsms/", apikey=key, after_timestamp_unix=int(since.timestamp())).json()["result"]["sms"]
        told = read(post(INCOMING, period, security=as_attributes("auditor", key)))
    assert [row["message"] for row in rows] == ["STOP"] * 3
    assert len(told) == 3


def test_so_is_what_came_in_a_period_of_the_past(history: Gateway, auditor: User) -> None:
    now = timezone.localtime()
    start, end = (f"{now - timedelta(days=days):%Y-%m-%d %H:%M:%S}" for days in (50.5, 49.5))
    with watched():
        told = read(post(INCOMING, f'<time start="{start}" end="{end}"/>', as_attributes("auditor", key_of(auditor))))
    assert len(told) == EACH_DAY
