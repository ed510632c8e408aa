"""API keys in the admin: made, shown this once, listed with what they are for, revoked."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gateways.models import Gateway
from portal import keys
from portal.models import ApiKey, AuditEvent, User
from portal.permissions import Right
from portal.sign_in import sessions
from tests.portal.admin_pages import narrow_fields, page, signed_in, staff_with

LIST, ADD = page(ApiKey, "changelist"), page(ApiKey, "add")


def form(user: User, **given: Any) -> dict[str, Any]:
    return {"user": user.pk, "name": "the booking system", "networks": ""} | given


def shown_key(html: str) -> str:
    found = keys.SHAPE.search(html)
    assert found
    return found[0]


def revoke(key: ApiKey) -> str:
    return reverse("admin:portal_apikey_revoke", args=(key.pk,))


def listed(client: Client, **asked: str) -> list[str]:
    return sorted(key.name for key in client.get(LIST, asked).context["cl"].result_list)


def test_a_key_is_shown_in_the_answer_and_opens_the_api(admin: User, operator: User, sandbox: Gateway) -> None:
    response = signed_in(admin).post(ADD, form(operator))
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    key = shown_key(response.content.decode())
    answer = Client().get("/api/v1/sms_gateways", HTTP_X_API_KEY=key)
    assert answer.status_code == 200
    assert ApiKey.objects.get().made_by == admin


def test_it_is_nowhere_else(admin: User, operator: User) -> None:
    client = signed_in(admin)
    key = shown_key(client.post(ADD, form(operator)).content.decode())
    row = ApiKey.objects.get()
    for address in (LIST, page(ApiKey, "change", row.pk), reverse("admin:index"), ADD):
        html = client.get(address).content.decode()
        assert key not in html
        assert row.digest not in html
    assert key not in str(dict(client.session))
    assert key not in client.cookies.output()
    assert key not in str([vars(event) for event in AuditEvent.objects.all()])


def test_it_is_made_as_the_form_says(admin: User, operator: User, sandbox: Gateway) -> None:
    given = form(operator, **narrow_fields(sandbox))
    assert signed_in(admin).post(ADD, given).status_code == 200
    key = ApiKey.objects.get()
    assert (key.rights, key.gateways) == (["SMS_GATEWAY_READ", "SYSTEM_CREATE"], [sandbox.pk])
    assert key.networks == ["192.0.2.0/24", "2001:db8::1/128"]
    assert key.expires_at is not None
    event = AuditEvent.objects.get(action="admin:portal_apikey_add")
    assert (event.user, event.status, event.object_id) == (admin, 201, str(key))
    assert event.request["rights"] == ["SMS_GATEWAY_READ", "SYSTEM_CREATE"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "taken"}, "has a key of this name already"),
        ({"networks": "somewhere"}, "List networks such as"),
        ({"expires_at_0": "2001-01-01", "expires_at_1": "00:00"}, "This time is over"),
        ({"rights": ["FAX_READ"]}, "FAX_READ"),
        ({"gateways": ["4711"]}, "4711"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(admin: User, given: dict[str, Any], sentence: str) -> None:
    keys.issue(admin, "taken")
    response = signed_in(admin).post(ADD, form(admin, **given))
    assert sentence in response.content.decode()
    assert ApiKey.objects.count() == 1


def test_who_it_is_is_asked_first_and_the_form_is_not_lost(admin: User, operator: User) -> None:
    client = signed_in(admin)
    session = client.session
    session[sessions.CONFIRMED] = 0
    session.save()
    question = client.post(ADD, form(operator))
    assert "Confirm that it is you" in question.content.decode()
    assert not ApiKey.objects.exists()


def test_a_clerk_gives_no_more_than_the_clerk_holds(admin: User, operator: User) -> None:
    clerk = staff_with("clerk", Right.SYSTEM_READ, Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE)
    client = signed_in(clerk)
    html = client.get(ADD).content.decode()
    assert 'value="SYSTEM_READ"' in html
    assert 'value="MESSAGES_READ"' not in html
    assert [user.username for user in client.get(ADD).context["adminform"].form.fields["user"].queryset] == ["clerk"]
    for given in (form(admin), form(operator), form(clerk, rights=["MESSAGES_READ"])):
        client.post(ADD, given)
    assert not ApiKey.objects.exists()


def test_the_list_says_what_each_is_for(admin: User, operator: User, sandbox: Gateway) -> None:
    keys.issue(operator, "narrow", rights=["SYSTEM_READ"], gateways=[sandbox.pk], networks=["192.0.2.0/24"])
    keys.issue(operator, "wide")
    html = signed_in(admin).get(LIST).content.decode()
    for said in ("System - Read", "sandbox", "192.0.2.0/24", "all of the user&#x27;s", "everywhere", "does not end"):
        assert said in html


def test_a_gateway_that_is_gone_is_said_to_be(admin: User, sandbox: Gateway) -> None:
    key = keys.issue(admin, "old", gateways=[sandbox.pk])[0]
    sandbox.delete()
    client = signed_in(admin)
    for address in (LIST, page(ApiKey, "change", key.pk)):
        assert "a deleted one" in client.get(address).content.decode()


def test_valid_ended_and_revoked_ones_are_told_apart(admin: User, nobody: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    keys.issue(admin, "valid", expires_at=soon)
    keys.issue(nobody, "asleep")
    ended, revoked = keys.issue(admin, "ended")[0], keys.issue(admin, "revoked")[0]
    ApiKey.objects.filter(pk=ended.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    keys.revoke(revoked)
    User.objects.filter(pk=nobody.pk).update(is_active=False)
    client = signed_in(admin)

    assert listed(client, state="valid") == ["asleep", "valid"]
    assert listed(client, state="ended") == ["ended"]
    assert listed(client, state="revoked") == ["revoked"]
    states = {key.name: keys.state_of(key).value for key in ApiKey.objects.all()}
    assert states == {name: name for name in ("valid", "asleep", "ended", "revoked")}
    assert "its user may not sign in" in client.get(LIST).content.decode()


def test_one_is_revoked_by_a_button_and_it_is_written_down(admin: User) -> None:
    key, presented = keys.issue(admin, "lost")
    client = signed_in(admin)
    assert "Revoke this key" in client.get(page(ApiKey, "change", key.pk)).content.decode()
    assert client.get(revoke(key)).status_code == 405
    assert client.post(revoke(key)).status_code == 302
    assert Client().get("/api/v1/sms_gateways", HTTP_X_API_KEY=presented).status_code == 401
    event = AuditEvent.objects.get(action="admin:portal_apikey_revoke")
    assert (event.object_id, event.changes) == (str(key), {"state": ["valid", "revoked"]})
    assert client.post(revoke(key)).status_code == 302
    assert AuditEvent.objects.filter(action="admin:portal_apikey_revoke").count() == 1
    assert "Revoke this key" not in client.get(page(ApiKey, "change", key.pk)).content.decode()


def test_many_are_revoked_in_the_list(admin: User) -> None:
    made = [keys.issue(admin, name)[0].pk for name in ("one", "two", "three")]
    chosen = {"action": "revoke_selected", "_selected_action": made[:2]}
    html = signed_in(admin).post(LIST, chosen, follow=True).content.decode()
    assert "2 keys were revoked." in html
    assert ApiKey.objects.filter(revoked_at=None).values_list("name", flat=True).get() == "three"
    assert AuditEvent.objects.filter(action="admin:portal_apikey_revoke").count() == 2


def test_a_good_key_is_revoked_and_not_deleted(admin: User) -> None:
    key = keys.issue(admin, "in use")[0]
    client = signed_in(admin)
    chosen = {"action": "delete_selected", "_selected_action": [key.pk], "post": "yes"}
    assert client.post(page(ApiKey, "delete", key.pk), {"post": "yes"}).status_code == 403
    client.post(LIST, chosen)
    assert ApiKey.objects.filter(revoked_at=None).count() == 1
    keys.revoke(key)
    assert client.post(page(ApiKey, "delete", key.pk), {"post": "yes"}).status_code == 302
    assert not ApiKey.objects.exists()


def test_who_only_reads_revokes_nothing(admin: User, auditor: User) -> None:
    key = keys.issue(admin, "in use")[0]
    client = signed_in(auditor)
    assert client.post(revoke(key)).status_code == 403
    assert client.post(LIST, {"action": "revoke_selected", "_selected_action": [key.pk]}).status_code == 403
    assert "Revoke this key" not in client.get(page(ApiKey, "change", key.pk)).content.decode()
    assert ApiKey.objects.get().revoked_at is None


def test_it_is_found_beside_the_tokens(admin: User) -> None:
    html = signed_in(admin).get(reverse("admin:portal_apitoken_changelist")).content.decode()
    assert f'href="{LIST}"' in html
