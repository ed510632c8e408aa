"""OAuth2 clients in the admin: made, shown with their secret this once, narrowed, given another one, deleted."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gateways.models import Gateway
from portal import clients, sessions
from portal.models import ApiSession, AuditEvent, OAuthClient, RefusedTry, User
from portal.permissions import Right
from portal.sign_in import sessions as confirmed_in
from tests.portal.admin_pages import page, signed_in, staff_with
from tests.portal.token_calls import begin, come, use

LIST, ADD = page(OAuthClient, "changelist"), page(OAuthClient, "add")
SECRET = re.compile(r'<code id="client-secret">([A-Za-z0-9]{128})</code>')


def form(user: User | None, **given: Any) -> dict[str, Any]:
    return {"user": user.pk if user else "", "name": "the booking system"} | given


def shown(html: str) -> str:
    found = SECRET.search(html)
    assert found
    return found[1]


def another(client: OAuthClient) -> str:
    return reverse("admin:portal_oauthclient_secret", args=(client.pk,))


def test_a_client_is_shown_with_its_secret_and_comes_by_both(admin: User, operator: User) -> None:
    response = signed_in(admin).post(ADD, form(operator))
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    client = OAuthClient.objects.get()
    answer = come(client.client_id, shown(response.content.decode()))
    assert answer.status_code == 200
    assert use(answer.json()["access_token"]).status_code == 200


def test_one_without_a_user_opens_sessions(admin: User, operator: User) -> None:
    secret = shown(signed_in(admin).post(ADD, form(None)).content.decode())
    client = OAuthClient.objects.get()
    assert begin(client_id=client.client_id, client_secret=secret).status_code == 200
    assert come(client.client_id, secret).status_code == 400


def test_its_secret_is_nowhere_else(admin: User, operator: User) -> None:
    browser = signed_in(admin)
    secret = shown(browser.post(ADD, form(operator)).content.decode())
    client = OAuthClient.objects.get()
    for address in (LIST, page(OAuthClient, "change", client.pk), reverse("admin:index"), ADD, another(client)):
        html = browser.get(address).content.decode()
        assert secret not in html
        assert client.client_secret not in html
    assert secret not in str(dict(browser.session))
    assert secret not in browser.cookies.output()
    assert secret not in str([vars(event) for event in AuditEvent.objects.all()])


def test_another_secret_ends_what_the_former_opened(admin: User, operator: User) -> None:
    client, former = clients.make("monitoring", operator)
    token = come(client.client_id, former).json()["access_token"]
    browser = signed_in(admin)
    assert "Make another secret" in browser.get(another(client)).content.decode()
    secret = shown(browser.post(another(client)).content.decode())
    assert use(token).status_code == 401
    assert [come(client.client_id, given).status_code for given in (former, secret)] == [401, 200]
    event = AuditEvent.objects.get(action="admin:portal_oauthclient_renew_secret")
    assert (event.user, event.object_id) == (admin, "monitoring")


def test_a_deleted_client_comes_no_more(admin: User, operator: User) -> None:
    client, secret = clients.make("monitoring", operator)
    token = come(client.client_id, secret).json()["access_token"]
    assert use(token).status_code == 200
    browser = signed_in(admin)
    assert browser.post(page(OAuthClient, "delete", client.pk), {"post": "yes"}).status_code == 302
    assert use(token).status_code == 401
    assert come(client.client_id, secret).status_code == 400
    assert not RefusedTry.objects.exists()
    assert not browser.get(LIST).context["cl"].result_list
    assert browser.get(page(OAuthClient, "change", client.pk)).status_code == 302
    assert browser.post(another(client)).status_code == 404
    assert AuditEvent.objects.get(action="admin:portal_oauthclient_delete").object_id == "monitoring"


def test_a_secret_is_called_no_key(admin: User, operator: User) -> None:
    html = signed_in(admin).post(ADD, form(operator), headers={"accept-language": "ru"}).content.decode()
    words = html[html.index("Секрет показывается один раз") :]
    assert "Сохранено" in words
    assert "Ключ сохранён" not in words


@pytest.mark.parametrize("by", ["its page", "the list"])
def test_who_deletes_one_is_asked_for_no_more_than_the_client(admin: User, operator: User, by: str) -> None:
    client, secret = clients.make("<b>monitoring</b>", operator)
    come(client.client_id, secret)
    browser, russian = signed_in(admin), {"accept-language": "ru"}
    if by == "its page":
        answer = browser.get(page(OAuthClient, "delete", client.pk), headers=russian)
    else:
        answer = browser.post(LIST, {"action": "delete_selected", "_selected_action": client.pk}, headers=russian)
    html = answer.content.decode()
    assert "Клиент OAuth2: &lt;b&gt;monitoring&lt;/b&gt;" in html
    assert "Application" not in html
    assert "Access token" not in html


def test_the_client_of_any_program_is_on_no_page(admin: User, operator: User) -> None:
    begin()
    browser = signed_in(admin)
    assert not browser.get(LIST).context["cl"].result_list
    pk = sessions.anybody().pk
    assert browser.get(page(OAuthClient, "change", pk)).status_code == 302
    assert browser.post(reverse("admin:portal_oauthclient_secret", args=(pk,))).status_code == 404


def test_nobody_gains_a_right_by_a_client(admin: User, operator: User) -> None:
    maker = staff_with("maker", Right.SYSTEM_READ, Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE)
    browser = signed_in(maker)
    html = browser.post(ADD, form(admin)).content.decode()
    assert "Select a valid choice" in html
    assert not OAuthClient.objects.exists()
    client, secret = clients.make("monitoring", admin)
    html = browser.post(another(client)).content.decode()
    assert "hold no right that you lack" in html
    assert come(client.client_id, secret).status_code == 200


def test_nobody_gains_what_the_user_of_a_client_is_given_later(db: None) -> None:
    reader = staff_with("reader", Right.SYSTEM_READ)
    browser = signed_in(staff_with("clerk", Right.SYSTEM_READ, Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE))
    html = browser.post(ADD, form(reader)).content.decode()
    assert "Name rights" in html
    assert not OAuthClient.objects.exists()
    client, secret = clients.make("monitoring", reader)
    assert "Name rights" in browser.post(another(client)).content.decode()
    assert come(client.client_id, secret).status_code == 200
    chief = signed_in(staff_with("chief", *Right))
    assert come(client.client_id, shown(chief.post(another(client)).content.decode())).status_code == 200


def test_whoever_makes_clients_has_them_act_as_himself(db: None) -> None:
    clerk = staff_with("clerk", Right.SYSTEM_READ, Right.SYSTEM_CREATE)
    assert shown(signed_in(clerk).post(ADD, form(clerk)).content.decode())
    assert OAuthClient.objects.get().user == clerk


@pytest.mark.parametrize("rights", [(Right.SYSTEM_READ,), (Right.SYSTEM_CREATE,)])
def test_whoever_may_make_none_gives_no_secrets(operator: User, rights: tuple[Right, ...]) -> None:
    client, _secret = clients.make("monitoring", operator)
    browser = signed_in(staff_with("reader", *rights))
    assert browser.post(another(client)).status_code == 403
    assert browser.post(ADD, form(operator)).status_code == 403


def test_a_client_needs_a_name(admin: User, operator: User) -> None:
    html = signed_in(admin).post(ADD, form(operator, name=" ")).content.decode()
    assert "This field is required" in html
    assert not OAuthClient.objects.exists()


def test_the_list_says_whom_each_acts_as(admin: User, operator: User) -> None:
    clients.make("monitoring", operator)
    clients.make("terminals")
    User.objects.filter(pk=operator.pk).update(is_active=False)
    html = signed_in(admin).get(LIST).content.decode()
    assert "users who give their passwords" in html
    assert "its user may not sign in" in html


class TestNarrowing:
    def test_it_is_made_as_the_form_says(self, admin: User, operator: User, sandbox: Gateway) -> None:
        given = form(
            operator,
            rights=["SMS_GATEWAY_READ", "SYSTEM_CREATE"],
            gateways=[sandbox.pk],
            networks="192.0.2.0/24, 2001:db8::1",
            expires_at_0="2999-12-31",
            expires_at_1="23:59:00",
        )
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


class TestSessions:
    PAGE = page(ApiSession, "changelist")

    def test_the_list_says_who_came_from_where(self, admin: User, operator: User) -> None:
        begin()
        html = signed_in(admin).get(self.PAGE).content.decode()
        assert "operator" in html
        assert "127.0.0.1" in html
        assert "any program" in html

    def test_one_that_is_ended_here_opens_nothing_and_is_renewed_no_more(self, admin: User, operator: User) -> None:
        found = begin().json()
        chosen = {"action": "delete_selected", "_selected_action": [ApiSession.objects.get().pk], "post": "yes"}
        assert signed_in(admin).post(self.PAGE, chosen).status_code == 302
        assert use(found["access_token"]).status_code == 401
        assert AuditEvent.objects.filter(action="admin:portal_apisession_delete", status=200).count() == 1

    def test_an_auditor_ends_none(self, auditor: User, operator: User) -> None:
        found = begin().json()
        chosen = {"action": "delete_selected", "_selected_action": [ApiSession.objects.get().pk], "post": "yes"}
        signed_in(auditor).post(self.PAGE, chosen)
        assert use(found["access_token"]).status_code == 200

    def test_valid_ones_and_ended_ones_are_told_apart(self, admin: User, operator: User, auditor: User) -> None:
        begin("operator")
        begin("auditor")
        sessions.end(ApiSession.objects.get(user=auditor))
        browser = signed_in(admin)
        for state, there in (("yes", "operator"), ("no", "auditor")):
            found = browser.get(self.PAGE, {"alive": state}).context["cl"].result_list
            assert {str(session.user) for session in found} == {there}


def test_tokens_keys_sessions_and_clients_are_one_subject(admin: User) -> None:
    html = signed_in(admin).get(LIST).content.decode()
    for address in (LIST, page(ApiSession, "changelist"), reverse("admin:portal_apitoken_changelist")):
        assert address in html


def test_nobody_who_is_signed_out_is_answered(db: None) -> None:
    assert Client().get(LIST).status_code == 302
