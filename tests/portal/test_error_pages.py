"""What people see when something is refused, missing or broken: what it is, and what to do."""

import pytest
from django.test import Client, RequestFactory

from gateways.models import Gateway
from portal.api import envelope
from portal.models import User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with


@pytest.mark.parametrize(("language", "says"), [("ru", "Такой страницы нет"), ("en", "There is no such page")])
def test_a_missing_page_says_so(admin: User, language: str, says: str) -> None:
    answer = signed_in(admin).get("/nowhere/", HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 404
    assert says in answer.content.decode()


def test_a_refused_page_names_the_right(db: None) -> None:
    reader = signed_in(staff_with("reader", Right.SMS_GATEWAY_READ))
    answer = reader.get(page(Gateway, "add"), HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 403
    assert "“SMS Gateway - Create” (SMS_GATEWAY_CREATE)" in answer.content.decode()


def test_a_refused_action_names_the_right_and_is_not_taken_for_none(sandbox: Gateway) -> None:
    reader = signed_in(staff_with("reader", Right.SMS_GATEWAY_READ, Right.SMS_SEND_METHOD_AVAILABLE))
    form = {"action": "send_test", "_selected_action": sandbox.pk}
    answer = reader.post(page(Gateway, "changelist"), form, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 403
    assert "SYSTEM_CREATE" in answer.content.decode()


def test_a_form_that_is_out_of_date_says_that_nothing_was_saved(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {}, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 403
    assert "Nothing was saved" in answer.content.decode()


def test_a_request_for_another_host_says_which_setting_names_ours(db: None) -> None:
    answer = Client().get("/admin/", HTTP_HOST="elsewhere.example.org", HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.content.decode()


def test_a_failure_is_a_page_for_people_and_json_for_programs() -> None:
    page_of_people = envelope.server_error(RequestFactory().get("/admin/"))
    assert b"The portal has failed" in page_of_people.content
    assert envelope.server_error(RequestFactory().get("/api/v1/users"))["Content-Type"] == "application/json"
