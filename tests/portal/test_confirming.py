"""Before secrets and roles people are asked again who they are, and the form that they submitted is not lost."""

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from portal.models import AuditEvent, Role, TotpDevice, User
from portal.permissions import Right
from portal.sign_in import confirming, enrolment, sealing
from tests.conftest import PASSWORD
from tests.portal.admin_pages import page, rights_as_permissions, signed_in
from tests.portal.second_factors import give_code, is_in, password_given, shown_code, with_app

NEW = "another long secret"
ADD_ROLE = page(Role, "add")


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as travelling:
        yield travelling


def asked(answer: Any) -> str:
    """What the page that asks carries."""
    html = answer.content.decode()
    assert "Confirm that it is you" in html
    found = re.search(r'name="_submitted" value="([^"]+)"', html)
    assert found
    return found[1]


def later(user: User, clock: Any) -> Client:
    """Signed in ten minutes ago."""
    client = signed_in(user)
    clock.shift(600)
    return client


def actions() -> list[tuple[str, int]]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", "status"))


def test_nobody_is_asked_within_ten_minutes(admin: User, clock: Any) -> None:
    client = signed_in(admin)
    clock.shift(599)
    assert client.post(ADD_ROLE, {"name": "Night desk"}).status_code == 302


def test_the_form_goes_on_as_it_was_submitted(admin: User, clock: Any) -> None:
    client = later(admin, clock)
    wanted = list(rights_as_permissions(Right.USERS_READ, Right.MESSAGES_READ).values_list("pk", flat=True))
    sealed = asked(client.post(ADD_ROLE, {"name": "Night desk", "permissions": wanted}))
    assert not Role.objects.filter(name="Night desk").exists()
    answer = client.post(ADD_ROLE, {"_submitted": sealed, "confirm-password": PASSWORD})
    assert answer.status_code == 302
    role = Role.objects.get(name="Night desk")
    assert set(role.permissions.values_list("pk", flat=True)) == set(wanted)
    assert actions() == [("admin:confirm", 200), ("admin:portal_role_add", 201)]
    assert client.post(ADD_ROLE, {"name": "Second"}).status_code == 302


def test_a_form_with_errors_shows_them_on_its_own_page_after_the_confirmation(admin: User, clock: Any) -> None:
    client = later(admin, clock)
    sealed = asked(client.post(ADD_ROLE, {"name": ""}))
    answer = client.post(ADD_ROLE, {"_submitted": sealed, "confirm-password": PASSWORD})
    assert answer.status_code == 200
    assert "name" in answer.context["adminform"].form.errors


def test_a_wrong_password_changes_nothing_and_keeps_the_form(admin: User, clock: Any) -> None:
    client = later(admin, clock)
    sealed = asked(client.post(ADD_ROLE, {"name": "Night desk"}))
    again = client.post(ADD_ROLE, {"_submitted": sealed, "confirm-password": "guess"})
    assert "The password is wrong" in again.content.decode()
    assert asked(again) == sealed
    assert not Role.objects.filter(name="Night desk").exists()
    client.post(ADD_ROLE, {"_submitted": asked(again), "confirm-password": PASSWORD})
    assert Role.objects.filter(name="Night desk").exists()
    assert actions()[:2] == [("admin:confirm", 401), ("admin:confirm", 200)]


def test_a_code_will_do_where_there_is_an_app(admin: User, clock: Any) -> None:
    with_app(admin)
    client = later(admin, clock)
    sealed = asked(client.post(ADD_ROLE, {"name": "Night desk"}))
    wrong = client.post(ADD_ROLE, {"_submitted": sealed, "confirm-code": "000000"})
    assert "The code is wrong" in wrong.content.decode()
    assert ("admin:second_factor", 401) in actions()
    clock.shift(2)
    assert client.post(ADD_ROLE, {"_submitted": sealed, "confirm-code": shown_code()}).status_code == 302


def test_neither_the_page_nor_the_session_nor_the_trail_holds_the_secret_that_was_typed(
    admin: User, auditor: User, clock: Any
) -> None:
    client = later(admin, clock)
    address = reverse("admin:auth_user_password_change", args=(auditor.pk,))
    form = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"}
    answer = client.post(address, form)
    sealed = asked(answer)
    assert NEW not in answer.content.decode()
    assert NEW not in str(dict(client.session.items()))
    assert answer.headers["Cache-Control"].count("no-store") == 1
    assert client.post(address, {"_submitted": sealed, "confirm-password": PASSWORD}).status_code == 302
    assert User.objects.get(pk=auditor.pk).check_password(NEW)
    assert NEW not in json.dumps(list(AuditEvent.objects.values_list("request", flat=True)))
    assert PASSWORD not in json.dumps(list(AuditEvent.objects.values_list("request", flat=True)))


@pytest.mark.parametrize("wrong", ["of another user", "for another page", "too old", "made up"])
def test_a_form_that_is_not_good_here_is_not_repeated(admin: User, auditor: User, clock: Any, wrong: str) -> None:
    content = {"path": ADD_ROLE, "method": "POST", "fields": [["name", ["Night desk"]]], "files": []}
    owner = auditor if wrong == "of another user" else admin
    if wrong == "for another page":
        content["path"] = page(User, "add")
    sealed = "gAAAAAB" if wrong == "made up" else sealing.seal(confirming.PURPOSE, owner, content)
    if wrong == "too old":
        clock.shift(3600)
    answer = signed_in(admin).post(ADD_ROLE, {"_submitted": sealed})
    assert (answer.status_code, answer.headers["Location"]) == (302, ADD_ROLE)
    assert not Role.objects.filter(name="Night desk").exists()


def test_the_confirmation_of_another_s_password_does_not_count(admin: User, auditor: User, clock: Any) -> None:
    User.objects.filter(pk=auditor.pk).update(is_active=True)
    auditor.set_password("the auditor's own secret")
    auditor.save()
    client = later(admin, clock)
    sealed = asked(client.post(ADD_ROLE, {"name": "Night desk"}))
    client.post(ADD_ROLE, {"_submitted": sealed, "confirm-password": "the auditor's own secret", "username": "auditor"})
    assert not Role.objects.filter(name="Night desk").exists()


@pytest.mark.parametrize("deed", ["change", "delete", "delete_selected"])
def test_changing_and_deleting_a_role_are_asked_for(admin: User, clock: Any, deed: str) -> None:
    role = Role.objects.create(name="Night desk")
    client = later(admin, clock)
    many = {"action": "delete_selected", "_selected_action": [role.pk], "post": "yes"}
    address, form = {
        "change": (page(Role, "change", role.pk), {"name": "Mine"}),
        "delete": (page(Role, "delete", role.pk), {"post": "yes"}),
        "delete_selected": (page(Role, "changelist"), many),
    }[deed]
    sealed = asked(client.post(address, form))
    role.refresh_from_db()
    assert role.name == "Night desk"
    client.post(address, {"_submitted": sealed, "confirm-password": PASSWORD})
    assert not Role.objects.filter(name="Night desk").exists()


def test_an_action_is_asked_for_wherever_the_form_names_it(admin: User, clock: Any) -> None:
    role = Role.objects.create(name="Night desk")
    client = later(admin, clock)
    form = {"action": ["delete_selected", ""], "index": 0, "_selected_action": [role.pk], "post": "yes"}
    asked(client.post(page(Role, "changelist"), form))
    asked(client.post(page(Role, "changelist"), form | {"action": ["", "delete_selected"], "index": 1}))
    assert Role.objects.filter(name="Night desk").exists()


def test_reading_is_free(admin: User, clock: Any) -> None:
    client = later(admin, clock)
    for address in (ADD_ROLE, page(Role, "changelist"), page(User, "change", admin.pk)):
        assert "Confirm that it is you" not in client.get(address).content.decode()


def test_who_may_not_is_refused_and_not_asked(auditor: User, clock: Any) -> None:
    client = later(auditor, clock)
    assert client.post(ADD_ROLE, {"name": "Mine"}).status_code == 403
    assert client.post(page(User, "delete", auditor.pk), {"post": "yes"}).status_code == 403


def test_a_page_that_shows_a_secret_asks_before_it_is_read(admin: User, clock: Any) -> None:
    client = later(admin, clock)
    address = reverse("admin:add_app")
    sealed = asked(client.get(address))
    answer = client.post(address, {"_submitted": sealed, "confirm-password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, address)
    assert "QR code" in client.get(address).content.decode()


def uploaded(request: HttpRequest) -> HttpResponse:
    """A view that tells what arrived."""
    [file] = request.FILES.getlist("csv")
    return HttpResponse(f"{request.POST['name']} {file.name}: {file.read().decode()}")


def test_a_file_that_is_too_large_must_be_chosen_again_and_the_rest_is_kept(admin: User, clock: Any) -> None:
    view = confirming.confirmed(lambda request: HttpResponse(f"{request.POST['name']} {len(request.FILES)}"))
    client = later(admin, clock)
    content = secrets.token_bytes(1_000_000)
    request = RequestFactory().post("/admin/", {"name": "List", "csv": SimpleUploadedFile("guests.csv", content)})
    request.user, request.session = admin, client.session
    answer = RequestFactory().post("/admin/", {"_submitted": asked(view(request)), "confirm-password": PASSWORD})
    answer.user, answer.session = admin, client.session
    repeated = view(answer)
    assert isinstance(repeated, HttpResponse)
    assert repeated.content == b"List 0"


def test_a_file_goes_on_too(admin: User, clock: Any) -> None:
    view = confirming.confirmed(uploaded)
    client = later(admin, clock)

    def ask(form: dict[str, Any]) -> Any:
        request = RequestFactory().post("/admin/import/", form)
        request.user, request.session = admin, client.session
        return view(request)

    sealed = asked(ask({"name": "List", "csv": SimpleUploadedFile("guests.csv", b"pid,telephone")}))
    answer = ask({"_submitted": sealed, "confirm-password": PASSWORD})
    assert answer.content.decode() == "List guests.csv: pid,telephone"


def test_who_came_by_recovery_code_and_confirms_that_the_last_app_goes_stays_in(admin: User, clock: Any) -> None:
    device = with_app(admin)
    code = enrolment.make_codes(admin)[0]
    client = password_given(admin)
    give_code(client, code)
    clock.shift(600)
    address = reverse("admin:remove_second_factor", args=("app", device.pk))
    sealed = asked(client.post(address))
    client.post(address, {"_submitted": sealed, "confirm-password": PASSWORD})
    assert not TotpDevice.objects.exists()
    assert is_in(client)
