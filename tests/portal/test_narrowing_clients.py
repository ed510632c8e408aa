"""What OAuth2 clients are for, in the admin: said by the form of a new one, and changed on its page."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Gateway
from portal import clients
from portal.models import AuditEvent, OAuthClient, User
from portal.permissions import Right
from portal.sign_in import sessions as confirmed_in
from tests.portal.admin_pages import narrow_fields, page, signed_in, staff_with
from tests.portal.client_pages import ADD, LIST, form, shown
from tests.portal.token_calls import come, use


class TestNarrowing:
    def test_it_is_made_as_the_form_says(self, admin: User, operator: User, sandbox: Gateway) -> None:
        given = form(operator, **narrow_fields(sandbox))
        assert shown(signed_in(admin).post(ADD, given).content.decode())
        client = OAuthClient.objects.get()
        assert (client.rights, client.gateways) == (["SMS_GATEWAY_READ", "SYSTEM_CREATE"], [sandbox.pk])
        assert client.networks == ["192.0.2.0/24", "2001:db8::1/128"]
        assert client.expires_at is not None
        assert AuditEvent.objects.get(action="admin:portal_oauthclient_add").request["networks"] == given["networks"]

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"networks": "somewhere"}, "List networks such as"),
            ({"expires_at_0": "2001-01-01", "expires_at_1": "00:00"}, "This time is over"),
            ({"rights": ["FAX_READ"]}, "FAX_READ"),
            ({"user": "", "networks": "10.0.0.1"}, "A client without a user opens sessions"),
        ],
    )
    def test_what_cannot_be_is_said_at_its_field(self, admin: User, given: dict[str, Any], sentence: str) -> None:
        assert sentence in signed_in(admin).post(ADD, form(admin) | given).content.decode()
        assert not OAuthClient.objects.exists()

    def test_it_is_changed_with_the_next_call_and_written_down(
        self, admin: User, operator: User, sandbox: Gateway
    ) -> None:
        client, secret = clients.make("monitoring", operator, networks=["127.0.0.0/8"])
        token = come(client.client_id, secret).json()["access_token"]
        browser, address = signed_in(admin), page(OAuthClient, "change", client.pk)
        assert 'value="127.0.0.0/8"' in browser.get(address).content.decode()
        given: dict[str, Any] = {
            "rights": ["USERS_READ"],
            "gateways": [sandbox.pk],
            "networks": "127.0.0.0/8, 10.0.0.1",
        }
        given["name"] = "the desk"
        assert browser.post(address, given).status_code == 302
        assert use(token).status_code == 403
        changed = OAuthClient.objects.get()
        assert (changed.name, changed.user, changed.rights) == ("the desk", operator, ["USERS_READ"])
        assert (changed.gateways, changed.networks) == ([sandbox.pk], ["127.0.0.0/8", "10.0.0.1/32"])
        event = AuditEvent.objects.get(action="admin:portal_oauthclient_change")
        assert (event.user, event.object_id) == (admin, "the desk")
        assert event.changes == {
            "name": ["monitoring", "the desk"],
            "rights": [[], ["USERS_READ"]],
            "gateways": [[], ["sandbox"]],
            "networks": [["127.0.0.0/8"], ["127.0.0.0/8", "10.0.0.1"]],
        }

    def test_whoever_adds_to_it_is_told_who_has_that_then(self, admin: User, operator: User) -> None:
        client, _secret = clients.make("monitoring", operator, rights=["USERS_READ"])
        browser, told = signed_in(admin), "Whoever has its secret has what is added"
        assert told in browser.get(page(OAuthClient, "change", client.pk)).content.decode()
        assert told not in browser.get(ADD).content.decode()

    @pytest.mark.parametrize("field", ["rights", "gateways"])
    def test_where_all_that_it_was_for_is_gone_no_choice_is_not_everything(
        self, admin: User, sandbox: Gateway, field: str
    ) -> None:
        client, _secret = clients.make("monitoring", admin)
        gone: dict[str, Any] = {"rights": ["FAX_READ"], "gateways": [sandbox.pk + 1]}
        OAuthClient.objects.update(**{field: gone[field]})
        browser, address = signed_in(admin), page(OAuthClient, "change", client.pk)
        assert "This field is required" in browser.post(address, {"name": "renamed"}).content.decode()
        found = OAuthClient.objects.get()
        assert (found.name, getattr(found, field)) == ("monitoring", gone[field])
        chosen: dict[str, Any] = {"rights": ["USERS_READ"], "gateways": [sandbox.pk]}
        assert browser.post(address, {"name": "renamed", field: chosen[field]}).status_code == 302
        assert getattr(OAuthClient.objects.get(), field) == chosen[field]

    def test_a_deleted_gateway_is_written_down_in_the_language_of_the_trail(
        self, admin: User, sandbox: Gateway
    ) -> None:
        other = Gateway.objects.create(name="other", provider="sandbox")
        client, _secret = clients.make("monitoring", admin, gateways=[sandbox.pk])
        sandbox.delete()
        browser, address = signed_in(admin), page(OAuthClient, "change", client.pk)
        russian = {"accept-language": "ru"}
        assert "удалённый" in browser.get(address, headers=russian).content.decode()
        answer = browser.post(address, {"name": "monitoring", "gateways": [other.pk]}, headers=russian)
        assert answer.status_code == 302
        event = AuditEvent.objects.get(action="admin:portal_oauthclient_change")
        assert event.changes == {"gateways": [["a deleted one"], ["other"]]}

    def test_a_change_asks_first_who_it_is(self, admin: User, operator: User) -> None:
        client, _secret = clients.make("monitoring", operator)
        browser = signed_in(admin)
        session = browser.session
        session[confirmed_in.CONFIRMED] = 0
        session.save()
        question = browser.post(page(OAuthClient, "change", client.pk), {"name": "x", "networks": "10.0.0.1"})
        assert "Confirm that it is you" in question.content.decode()
        assert OAuthClient.objects.get().networks == []

    def test_what_its_changer_may_not_give_is_not_taken_away_unseen(self, db: None, sandbox: Gateway) -> None:
        clerk = staff_with("clerk", Right.SYSTEM_READ, Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE)
        client, _secret = clients.make("narrow", clerk, rights=["MESSAGES_READ"], gateways=[sandbox.pk])
        sandbox.delete()
        browser, address = signed_in(clerk), page(OAuthClient, "change", client.pk)
        html = browser.get(address).content.decode()
        assert 'value="MESSAGES_READ"' in html
        assert "a deleted one" in html
        for given, sentence in (
            ({"rights": ["MESSAGES_READ"], "gateways": client.gateways}, "You lack the right “MESSAGES_READ”"),
            ({"rights": ["SYSTEM_READ"], "gateways": [client.gateways[0]]}, "does not exist any more"),
        ):
            assert sentence in browser.post(address, given | {"name": "narrow"}).content.decode()
        found = OAuthClient.objects.get()
        assert (found.rights, found.gateways) == (["MESSAGES_READ"], client.gateways)

    @pytest.mark.parametrize("rights", [(Right.SYSTEM_READ,), (Right.SYSTEM_READ, Right.SYSTEM_CREATE)])
    def test_who_may_change_none_looks_at_them(self, operator: User, rights: tuple[Right, ...]) -> None:
        client, _secret = clients.make("monitoring", operator, networks=["10.0.0.0/8"])
        browser, address = signed_in(staff_with("reader", *rights)), page(OAuthClient, "change", client.pk)
        html = browser.get(address).content.decode()
        assert "10.0.0.0/8" in html
        assert 'name="networks"' not in html
        assert browser.post(address, {"name": "x", "networks": ""}).status_code == 403
        assert OAuthClient.objects.get().networks == ["10.0.0.0/8"]

    def test_one_of_sessions_has_nothing_to_change(self, admin: User) -> None:
        client, _secret = clients.make("terminals")
        browser, address = signed_in(admin), page(OAuthClient, "change", client.pk)
        assert 'name="networks"' not in browser.get(address).content.decode()
        assert browser.post(address, {"name": "x", "networks": "10.0.0.1"}).status_code == 403

    def test_the_list_says_what_each_is_for(self, admin: User, operator: User, sandbox: Gateway) -> None:
        narrow: dict[str, Any] = {"rights": ["SYSTEM_READ"], "gateways": [sandbox.pk], "networks": ["192.0.2.0/24"]}
        clients.make("narrow", operator, **narrow)
        clients.make("wide", operator)
        html = signed_in(admin).get(LIST).content.decode()
        for said in (
            "System - Read",
            "sandbox",
            "192.0.2.0/24",
            "all of the user&#x27;s",
            "everywhere",
            "does not end",
        ):
            assert said in html

    def test_those_that_have_ended_are_told_from_the_others(self, admin: User) -> None:
        clients.make("good", admin, expires_at=timezone.now() + timedelta(hours=1))
        ended, _secret = clients.make("ended", admin)
        OAuthClient.objects.filter(pk=ended.pk).update(expires_at=timezone.now() - timedelta(hours=1))
        browser = signed_in(admin)
        for state, name in (("valid", "good"), ("ended", "ended")):
            found = browser.get(LIST, {"state": state}).context["cl"].result_list
            assert [(client.name, clients.state_of(client).value) for client in found] == [(name, state)]
