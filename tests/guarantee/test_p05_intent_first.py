"""P5: no byte of a message leaves before its attempt is committed, on a new connection or a kept one.

So whatever dies afterwards, it is on record that the message may have been sent. A witness between the portal and each
provider looks into the database, on a connection of its own, when the first byte of a request comes by.
"""

import json

import pytest
from django.db import connection, transaction
from django.utils import timezone

from gateways import transport
from gateways.http import HttpRequest
from messaging.models import Attempt, Message
from portal.models import User
from tests.conftest import Api
from tests.messaging.conftest import Send
from tests.messaging.peers import NAMES, Account, account_at
from tests.simulators.faulty_server import FaultyServer, answers, http
from tests.simulators.witness import Seen, Witness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

PHONES = [f"+7916000000{number}" for number in range(8)]


def on_record(_caller: int) -> frozenset[str]:
    """The phones to which an attempt is committed, as anybody else sees it."""
    try:
        return frozenset(Attempt.objects.values_list("message__phone", flat=True))
    finally:
        connection.close()


def lead_by(witness: Witness[frozenset[str]], account: Account) -> None:
    """All of the gateway's addresses lead past the witness."""
    settings = json.dumps(account.peer.settings()).replace(account.simulator.url, witness.url)
    account.give_settings(json.loads(settings))


def carrying(witness: Witness[frozenset[str]], phone: str) -> Seen[frozenset[str]]:
    """The one request that names this phone."""
    (found,) = [seen for seen in witness.seen if phone.removeprefix("+").encode() in seen.request]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_attempt_is_committed_when_the_first_byte_comes_by(name: str, api: Api, admin: User) -> None:
    """At every provider, because some want a login first and all have a way in of their own."""
    with (
        account_at(name, api(admin), rate_per_second=100) as account,
        Witness(account.simulator.url, on_record) as witness,
    ):
        lead_by(witness, account)
        first, second, third, *others = PHONES
        account.send(first)
        account.drain()
        transport.stop()
        for phone in (second, third):
            account.send(phone)
            account.drain()
        for phone in others:
            account.send(phone)
        account.drain()
        transport.stop()
        seen = {phone: carrying(witness, phone) for phone in PHONES}
        assert sorted(sms.phone for sms in account.simulator.taken) == PHONES
    assert [phone for phone in PHONES if phone not in seen[phone].found] == []
    assert (seen[second].kept, seen[third].kept) == (False, True)


def test_the_witness_sees_no_attempt_that_is_not_committed(send: Send) -> None:
    """So that the test above cannot pass because it looks through the eyes of who writes."""
    message = send()
    with FaultyServer(answers(http())) as provider, Witness(provider.url, on_record) as witness:
        with transaction.atomic():
            Attempt.objects.create(
                message=message, gateway=message.gateway, epoch=1, key=message.key, started_at=timezone.now()
            )
            transport.fetch(HttpRequest("POST", witness.url), 10)
        transport.fetch(HttpRequest("POST", witness.url), 10)
        transport.stop()
    assert [seen.found for seen in witness.seen] == [frozenset(), {message.phone}]
    assert Message.objects.count() == 1
