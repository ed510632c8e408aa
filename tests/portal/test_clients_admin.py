"""OAuth2 clients in the admin: made, shown with their secret this once, narrowed, given another one, deleted."""

import pytest
from django.test import Client
from django.urls import reverse

from portal import clients, sessions
from portal.models import ApiSession, AuditEvent, OAuthClient, RefusedTry, User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with
from tests.portal.client_pages import ADD, LIST, another, form, shown
from tests.portal.token_calls import begin, come, use


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
