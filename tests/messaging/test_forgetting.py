"""Taking a message off its provider's own log."""

from collections.abc import Iterator

import pytest

from gateways import accounts
from gateways.models import Gateway
from messaging import delivery, forgetting, receipts, sending
from messaging.models import Message, State
from messaging.retries import Kind
from portal.errors import Refusal
from portal.models import User
from tests.conftest import Api
from tests.messaging.conftest import fresh, make_due
from tests.simulators.server import Simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator("smsmobileapi") as running:
        yield running


@pytest.fixture
def phones(simulator: Simulator) -> Gateway:
    settings = simulator.peers["smsmobileapi"].settings() | {"delete_path": "deletesms/"}
    return accounts.create(name="phones", provider="smsmobileapi", settings=settings)


def sent_through(gateway: Gateway) -> Message:
    message = sending.send(
        phone="+79161234567", text="Hi", kind=Kind.INFORMATION, gateway_name=gateway.name, requested_by=None
    )
    delivery.drain(gateway.pk)
    return fresh(message)


def test_an_ended_message_is_deleted_at_its_provider(
    phones: Gateway, simulator: Simulator, api: Api, admin: User
) -> None:
    message = sent_through(phones)
    make_due()
    receipts.ask(phones.pk)
    assert fresh(message).state == State.NO_RECEIPT
    answer = api(admin).post(f"/api/v1/message/{message.pk}/forget")
    assert (answer.status_code, answer.json()["message"]) == (200, f"The provider deleted message {message.pk}")
    (asked,) = simulator.asked_for("smsmobileapi", "/deletesms/")
    assert asked.query["guid"] == message.reference


def test_one_that_is_under_way_is_not(phones: Gateway, simulator: Simulator) -> None:
    with pytest.raises(Refusal, match="still under way"):
        forgetting.forget(sent_through(phones))
    assert simulator.asked_for("smsmobileapi", "/deletesms/") == []


def test_a_provider_that_does_not_do_it_is_named_as_the_reason(phones: Gateway) -> None:
    message = sent_through(phones)
    accounts.change(phones, settings={"delete_path": "nowhere/"})
    Message.objects.update(state=State.NO_RECEIPT)
    with pytest.raises(Refusal, match="did not delete it: the provider answered 404"):
        forgetting.forget(fresh(message))


def test_a_provider_that_cannot_be_asked_says_so(sandbox: Gateway) -> None:
    message = sent_through(sandbox)
    with pytest.raises(Refusal, match="cannot be asked to delete"):
        forgetting.forget(message)
