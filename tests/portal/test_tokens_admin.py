"""Tokens in the admin: who holds one, when and from where it was used, and how it is ended."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from portal.models import ApiToken, AuditEvent, RefusedTry, User
from tests.conftest import PASSWORD
from tests.portal.admin_pages import page, signed_in


def login(user: User, address: str) -> APIClient:
    """A client at this address, signed in."""
    client = APIClient(REMOTE_ADDR=address)
    answer = client.post("/api/v1/login", {"username": user.username, "password": PASSWORD}, format="json")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    return client


def test_the_list_says_from_where_a_token_was_last_used(admin: User, operator: User) -> None:
    client = login(operator, "192.0.2.1")
    ApiToken.objects.update(expiry=timezone.now() + timedelta(minutes=1))  # a use is written down every 20 seconds
    assert client.get("/api/v1/sms_gateways", REMOTE_ADDR="192.0.2.77").status_code == 200
    token = ApiToken.objects.get(user=operator)
    assert (token.address, token.last_address) == ("192.0.2.1", "192.0.2.77")
    html = signed_in(admin).get(page(ApiToken, "changelist"), headers={"accept-language": "en"}).content.decode()
    assert "192.0.2.1" in html
    assert "192.0.2.77" in html


def test_a_token_that_is_ended_here_opens_nothing_any_more(admin: User, operator: User) -> None:
    client = login(operator, "192.0.2.1")
    assert client.get("/api/v1/sms_gateways").status_code == 200
    chosen = {"action": "delete_selected", "_selected_action": [ApiToken.objects.get().pk], "post": "yes"}
    assert signed_in(admin).post(page(ApiToken, "changelist"), chosen).status_code == 302
    assert client.get("/api/v1/sms_gateways").status_code == 401
    assert AuditEvent.objects.filter(action="admin:portal_apitoken_delete", status=200).count() == 1


@pytest.mark.parametrize("among_others", [False, True])
def test_a_program_that_goes_on_with_a_token_that_was_ended_here_is_no_guesser(
    admin: User, operator: User, among_others: bool
) -> None:
    client = login(operator, "192.0.2.1")
    token = ApiToken.objects.get()
    ending = page(ApiToken, "changelist") if among_others else page(ApiToken, "delete", token.pk)
    chosen = {"action": "delete_selected", "_selected_action": [token.pk]} if among_others else {}
    assert signed_in(admin).post(ending, {**chosen, "post": "yes"}).status_code == 302
    assert [client.get("/api/v1/sms_gateways").status_code for _ in range(6)] == [401] * 6
    assert not RefusedTry.objects.exists()


def test_an_auditor_sees_tokens_and_ends_none(auditor: User, operator: User) -> None:
    login(operator, "192.0.2.1")
    chosen = {"action": "delete_selected", "_selected_action": [ApiToken.objects.get().pk], "post": "yes"}
    signed_in(auditor).post(page(ApiToken, "changelist"), chosen)
    assert ApiToken.objects.count() == 1


def test_valid_ones_and_ended_ones_are_told_apart(admin: User, operator: User, auditor: User) -> None:
    login(operator, "192.0.2.1")
    login(auditor, "192.0.2.2")
    ApiToken.objects.filter(user=auditor).update(expiry=timezone.now() - timedelta(minutes=1))
    client = signed_in(admin)
    for state, there, missing in (("yes", "operator", "auditor"), ("no", "auditor", "operator")):
        found = client.get(page(ApiToken, "changelist"), {"alive": state}).context["cl"].result_list
        assert {str(token.user) for token in found} == {there} != {missing}
