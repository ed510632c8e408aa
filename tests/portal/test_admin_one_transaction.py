"""What is done by the buttons and lists named here is done together with what the trail says of it, or not at all."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from gateways.admin.asking import ANSWERED
from gateways.models import Gateway
from guests import devices, limits, terms
from guests.limits import brake
from guests.models import Brake, Device, Guest, LimitCount, Terms
from messaging.models import Webhook, WebhookDelivery
from portal import audit, defender, keys
from portal.models import (
    ApiKey,
    ApiSession,
    AuditEvent,
    OAuthClient,
    RecoveryCodes,
    Role,
    TotpDevice,
    User,
    WatchedHost,
)
from portal.sign_in import enrolment
from tests.portal.admin_pages import MADE, page, signed_in


class Died(BaseException):
    """A process that is killed: nothing catches it."""


def _die(*_: Any) -> None:
    raise Died


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is to be written down from now on, is not."""
    monkeypatch.setattr(audit, "record", _die)


def made(model: type[Model], sandbox: Gateway) -> Model:
    """A row to which all of it can be done."""
    if model is ApiKey:
        return keys.issue(User.objects.create_user("program"), "monitoring")[0]
    row = MADE[model](sandbox)
    # So that it is told of the event there is.
    Webhook.objects.update(events=["gateway.up"])
    return row


def chosen(row: Model, action: str) -> dict[str, Any]:
    """The form of a list, with an action for one of its rows."""
    return {"action": action, "_selected_action": [row.pk]}


def rows_of(model: type[Model]) -> list[dict[str, Any]]:
    return list(model._default_manager.order_by("pk").values())


@pytest.mark.parametrize(
    ("model", "name", "more"),
    [
        (ApiKey, "portal_apikey_revoke", ()),
        (OAuthClient, "portal_oauthclient_secret", ()),
        (TotpDevice, "portal_user_second_factors", ()),
        (Webhook, "messaging_webhook_secret", ()),
        (Webhook, "messaging_webhook_act", ("resume",)),
        (WebhookDelivery, "messaging_webhookdelivery_replay", ()),
        (Gateway, "gateways_gateway_act", ("renew_callback_key",)),
        (Gateway, "gateways_gateway_act", ("earlier",)),
        (Gateway, "gateways_gateway_act", ("switch_off",)),
        (Terms, "guests_terms_publish", ()),
    ],
)
def test_a_button_does_nothing_that_is_not_written_down(
    admin: User, sandbox: Gateway, dying: None, model: type[Model], name: str, more: tuple[str, ...]
) -> None:
    row: Any = made(model, sandbox)
    before = rows_of(model)
    address = reverse(f"admin:{name}", args=(row.user_id if model is TotpDevice else row.pk, *more))
    with pytest.raises(Died):
        signed_in(admin).post(address, {ANSWERED: "yes"})
    assert rows_of(model) == before


def test_no_terms_begin_the_next_version_without_it(admin: User, dying: None) -> None:
    published = terms.draft("en", "Be kind.")
    terms.publish(published)
    with pytest.raises(Died):
        signed_in(admin).post(reverse("admin:guests_terms_next", args=(published.pk,)))
    assert Terms.objects.get() == published


def test_no_device_of_a_guest_is_forgotten_without_it(admin: User, dying: None) -> None:
    guest = Guest.objects.create(username="bob", phone="+79161234567")
    device = devices.note(guest, "02:00:00:00:00:01")
    assert device
    with pytest.raises(Died):
        signed_in(admin).post(reverse("admin:guests_guest_forget_device", args=(guest.pk,)), {"device": device.pk})
    assert Device.objects.get() == device


def test_no_brake_is_released_without_it(admin: User, dying: None) -> None:
    until = timezone.now() + timedelta(hours=1)
    Brake.objects.create(pk=brake.ROW, pulled_at=timezone.now(), until=until, sent=57, entered=9)
    with pytest.raises(Died):
        signed_in(admin).post(reverse("admin:guests_brake_release"))
    assert Brake.objects.get().until == until


def test_nobody_removes_an_own_second_factor_without_it(admin: User, dying: None) -> None:
    device = TotpDevice.objects.create(user=admin, name="phone", key="A" * 32)
    with pytest.raises(Died):
        signed_in(admin).post(reverse("admin:remove_second_factor", args=("app", device.pk)))
    assert TotpDevice.objects.get() == device


def test_nobody_has_recovery_codes_made_without_it(admin: User, dying: None) -> None:
    TotpDevice.objects.create(user=admin, name="phone", key="A" * 32)
    enrolment.make_codes(admin)
    before = rows_of(RecoveryCodes)
    with pytest.raises(Died):
        signed_in(admin).post(reverse("admin:recovery_codes"))
    assert rows_of(RecoveryCodes) == before


@pytest.mark.parametrize(
    ("model", "name", "room", "deed"),
    [
        (WatchedHost, "portal_watchedhost_unblock", defender, "unblock"),
        (LimitCount, "guests_limitcount_release", limits, "release"),
    ],
)
def test_nothing_is_written_down_that_was_not_released(
    admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, model: type[Model], name: str, room: Any, deed: str
) -> None:
    row = made(model, sandbox)
    monkeypatch.setattr(room, deed, _die)
    with pytest.raises(Died):
        signed_in(admin).post(reverse(f"admin:{name}", args=(row.pk,)))
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("model", "action"),
    [
        (ApiKey, "revoke_selected"),
        (Webhook, "resume"),
        (WebhookDelivery, "replay"),
        (Gateway, "switch_off"),
    ],
)
def test_nor_does_an_action_of_a_list(
    admin: User, sandbox: Gateway, dying: None, model: type[Model], action: str
) -> None:
    row = made(model, sandbox)
    before = rows_of(model)
    with pytest.raises(Died):
        signed_in(admin).post(page(model, "changelist"), chosen(row, action))
    assert rows_of(model) == before


@pytest.mark.parametrize("model", [OAuthClient, ApiSession, Webhook, Role])
def test_nothing_is_written_down_that_was_not_deleted(
    admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, model: type[Model]
) -> None:
    row = made(model, sandbox)
    browser = signed_in(admin)
    monkeypatch.setattr(site.get_model_admin(model), "delete_queryset", _die)
    with pytest.raises(Died):
        browser.post(page(model, "changelist"), chosen(row, "delete_selected") | {"post": "yes"})
    assert not AuditEvent.objects.exists()


def test_many_are_deleted_in_one_order_however_their_list_is_sorted(
    admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Webhook.objects.create(name=name, url="https://192.0.2.1/", secret="s") for name in ("b", "c", "a")]
    deleted: list[int] = []
    pages = site.get_model_admin(Webhook)
    monkeypatch.setattr(pages, "delete_model", lambda _request, row: deleted.append(row.pk))
    form = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    signed_in(admin).post(page(Webhook, "changelist"), form)
    assert deleted == sorted(row.pk for row in rows)
