"""The order in which gateways are tried: dragged as a whole, or one step at a time; safe against others."""

import itertools
from threading import Event
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from gateways import accounts
from gateways.models import Gateway
from portal.errors import Refusal, Why
from portal.models import AuditEvent, User
from tests.gateways.admin_pages import LIST, act, html_of, said
from tests.gateways.conftest import at_once
from tests.portal.admin_pages import signed_in

ORDER = reverse("admin:gateways_gateway_order")


@pytest.fixture
def three(sandbox: Gateway) -> list[Gateway]:
    """All at the default priority: their names decide."""
    return [*(accounts.create(name=name, provider="sandbox") for name in ("a", "b")), sandbox]


def names() -> list[str]:
    return list(Gateway.objects.values_list("name", flat=True))


def priorities() -> list[int]:
    return list(Gateway.objects.values_list("priority", flat=True))


def test_the_given_order_is_the_one_they_are_tried_in(three: list[Gateway]) -> None:
    accounts.reorder([three[2].pk, three[1].pk, three[0].pk])
    assert names() == ["sandbox", "b", "a"]
    assert priorities() == [10, 20, 30]


@pytest.mark.parametrize("slip", ["one too few", "one twice", "one unknown"])
def test_an_order_of_other_gateways_is_refused_and_changes_nothing(three: list[Gateway], slip: str) -> None:
    ids = [gateway.pk for gateway in three]
    wrong = {"one too few": ids[1:], "one twice": [*ids, ids[0]], "one unknown": [*ids, max(ids) + 1]}[slip]
    with pytest.raises(Refusal) as refused:
        accounts.reorder(wrong)
    assert refused.value.why is Why.CONFLICT
    assert set(priorities()) == {100}


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (1, ["b", "a", "sandbox"]),
        (-1, ["a", "sandbox", "b"]),
        (5, ["b", "a", "sandbox"]),
        (-5, ["a", "sandbox", "b"]),
    ],
)
def test_one_is_moved_and_never_over_the_end(three: list[Gateway], places: int, expected: list[str]) -> None:
    accounts.move(three[1], places)
    assert names() == expected


def test_a_gateway_that_is_gone_cannot_be_moved(three: list[Gateway]) -> None:
    gone = Gateway(pk=999)
    with pytest.raises(Refusal):
        accounts.move(gone, 1)


@pytest.mark.django_db(transaction=True)
def test_orders_given_at_once_are_one_of_them(three: list[Gateway]) -> None:
    ids = [gateway.pk for gateway in three]
    at_once(lambda: accounts.reorder(ids[::-1]))
    assert names() == ["sandbox", "b", "a"]
    # Each of four steps is made from where the one before it ended.
    at_once(lambda: accounts.move(three[0], 1))
    assert (names(), sorted(priorities())) == (["a", "sandbox", "b"], [10, 20, 30])


@pytest.mark.django_db(transaction=True)
def test_another_one_is_made_the_default_while_they_are_put_in_order(
    three: list[Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = sorted(gateway.pk for gateway in three)
    accounts.change(Gateway.objects.get(pk=ids[2]), is_default=True)
    saving, ordered, workers, save = Event(), Event(), itertools.count(), Gateway.save

    def wait(gateway: Gateway, *args: Any, **options: Any) -> None:
        # The other one goes as far as it can meanwhile.
        saving.set()
        ordered.wait(0.5)
        save(gateway, *args, **options)

    monkeypatch.setattr(Gateway, "save", wait)

    def work() -> None:
        if next(workers):
            saving.wait()
            accounts.reorder(ids)
            ordered.set()
        else:
            accounts.change(Gateway.objects.get(pk=ids[0]), is_default=True)

    at_once(work, 2)
    assert Gateway.objects.get(is_default=True).pk == ids[0]


class TestPage:
    def test_dragged_rows_are_kept_in_their_order(self, browser: Client, three: list[Gateway]) -> None:
        ids = [three[2].pk, three[0].pk, three[1].pk]
        response = browser.post(ORDER, {"gateway": ids}, follow=True)
        assert said(response) == [("success", "The order is kept: gateways are tried from the top.")]
        assert names() == ["sandbox", "a", "b"]
        event = AuditEvent.objects.get()
        assert (event.action, event.status) == ("admin:gateways_gateway_order", 200)
        assert event.request == {"gateway": [str(pk) for pk in ids]}

    def test_rows_that_are_others_by_now_are_a_conflict(self, browser: Client, three: list[Gateway]) -> None:
        response = browser.post(ORDER, {"gateway": [three[0].pk]}, follow=True)
        assert said(response)[0][0] == "error"
        assert AuditEvent.objects.get().status == 409

    def test_the_keyboard_has_buttons_for_it(self, browser: Client, three: list[Gateway]) -> None:
        text = html_of(browser, LIST)
        assert f'formaction="/admin/gateways/gateway/{three[1].pk}/act/earlier/"' in text
        assert 'aria-label="Try it earlier: b"' in text
        assert act(browser, three[1], "earlier", from_list="1").redirect_chain == [(LIST, 302)]
        assert names() == ["b", "a", "sandbox"]
        act(browser, three[1], "later", from_list="1")
        assert names() == ["a", "b", "sandbox"]

    def test_a_list_of_some_cannot_be_dragged(self, browser: Client, three: list[Gateway]) -> None:
        assert "data-order" in html_of(browser, LIST)
        assert "data-order" not in html_of(browser, f"{LIST}?q=a")

    def test_it_asks_for_the_right_to_change(self, auditor: User, three: list[Gateway]) -> None:
        client = signed_in(auditor)
        assert "data-order" not in html_of(client, LIST)
        response = client.post(ORDER, {"gateway": [gateway.pk for gateway in three]})
        assert response.status_code == 403
        assert "SMS_GATEWAY_UPDATE" in response.content.decode()
        assert set(priorities()) == {100}

    def test_it_is_not_given_by_looking(self, browser: Client, three: list[Gateway]) -> None:
        assert browser.get(ORDER).status_code == 405
