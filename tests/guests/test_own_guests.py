"""Who holds USERS_READ_SPONSORED and not USERS_READ sees and acts on own guests only: anybody else's is not there."""

from typing import Any

import pytest
from django.urls import reverse

from gateways.models import Gateway
from guests import accounts
from guests.models import CALLS, Guest
from messaging.models import Message
from portal.models import User
from portal.permissions import Right, may, missing_right
from tests.conftest import Api
from tests.guests.test_stays_api import BODIES
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own", "foreign")]


def untouched(foreign: Guest) -> bool:
    """Whether everything about the guest is as it was."""
    return Guest.objects.filter(pk=foreign.pk).values().get() == {
        field.attname: getattr(foreign, field.attname) for field in Guest._meta.concrete_fields
    }


class TestTheRight:
    def test_the_wide_right_includes_the_narrow_one(self) -> None:
        reader = staff_with("reader", Right.USERS_READ)
        assert may(reader, Right.USERS_READ_SPONSORED)
        assert not accounts.sees_own_only(reader)

    def test_who_lacks_both_is_told_of_the_wide_one(self, nobody: User) -> None:
        assert missing_right(nobody, Right.USERS_READ_SPONSORED) is Right.USERS_READ

    def test_own_guests_are_all_that_is_visible(self, sponsor: User, own: Guest, admin: User, operator: User) -> None:
        assert list(accounts.visible_to(sponsor)) == [own]
        for user in (admin, operator):
            assert accounts.visible_to(user).count() == 2


class TestApi:
    def test_lists_and_searches_hold_own_guests_only(self, api: Api, sponsor: User) -> None:
        client = api(sponsor)
        listed = client.get("/api/v1/users?with_total_count=1").json()
        assert ([item["pid"] for item in listed["items"]], listed["total_count"]) == (["own"], 1)
        query = {"op": "not_equals", "field": "pid", "value": "x"}
        found = client.post("/api/v1/users/search", {"query": query, "with_total_count": True}, format="json").json()
        assert ([item["pid"] for item in found["items"]], found["total_count"]) == (["own"], 1)

    @pytest.mark.parametrize("call", CALLS)
    def test_no_call_finds_a_foreign_guest(self, api: Api, sponsor: User, foreign: Guest, call: str) -> None:
        body = BODIES.get(call, {"password": "pa55word"})
        assert api(sponsor).post(f"/api/v1/user/foreign/{call}", body, format="json").status_code == 404
        assert untouched(foreign)

    def test_the_item_and_the_password_of_a_foreign_guest_are_not_there(
        self, api: Api, sponsor: User, foreign: Guest
    ) -> None:
        sponsor.user_permissions.set(staff_with("other", Right.USERS_DELETE).user_permissions.all())
        client = api(sponsor)
        for item in ("/api/v1/user/foreign", "/api/v1/user/foreign/password"):
            assert client.get(item).status_code == 404
            assert client.patch(item, {}, format="json").status_code == 404
            assert client.delete(item).status_code == 404
        assert untouched(foreign)
        assert client.get("/api/v1/user/own").status_code == 200
        assert client.delete("/api/v1/user/own").status_code == 200

    def test_credentials_go_to_own_guests_only(self, api: Api, sponsor: User, sandbox: Gateway) -> None:
        path = "/api/v1/sms_gateways/send_user_credentials"
        body = {"sms_gateway": "sandbox", "password": "pa55word"}
        assert api(sponsor).post(path, body | {"pid": "foreign"}, format="json").status_code == 404
        assert not Message.objects.exists()
        assert api(sponsor).post(path, body | {"pid": "own"}, format="json").status_code == 200

    def test_who_may_send_and_see_no_guests_still_sends_to_any(
        self, api: Api, operator: User, sandbox: Gateway
    ) -> None:
        body = {"sms_gateway": "sandbox", "password": "pa55word", "pid": "foreign"}
        path = "/api/v1/sms_gateways/send_user_credentials"
        assert api(operator).post(path, body, format="json").status_code == 200

    def test_guests_are_not_passed_on_to_other_sponsors(self, api: Api, sponsor: User, admin: User, own: Guest) -> None:
        client = api(sponsor)
        made = client.post("/api/v1/users", {"pid": "new", "sponsor": "admin"}, format="json")
        assert (made.status_code, made.json()["errors"][0]["field"]) == (422, "sponsor")
        changed = client.patch("/api/v1/user/own", {"sponsor": "admin"}, format="json")
        assert (changed.status_code, changed.json()["errors"][0]["field"]) == (422, "sponsor")
        assert client.post("/api/v1/users", {"pid": "new"}, format="json").status_code == 201
        assert Guest.objects.get(username="new").sponsor == sponsor


class TestAdmin:
    def test_the_list_holds_own_guests_only(self, sponsor: User) -> None:
        html = signed_in(sponsor).get(page(Guest, "changelist")).content.decode()
        assert "+79161234501" in html
        assert "+79161234502" not in html
        assert page(Guest, "changelist") in signed_in(sponsor).get(reverse("admin:index")).content.decode()

    @pytest.mark.parametrize("name", ["change", "delete"])
    def test_the_pages_of_a_foreign_guest_are_not_there(self, foreign: Guest, name: str) -> None:
        rights = (Right.USERS_READ_SPONSORED, Right.USERS_UPDATE, Right.USERS_DELETE)
        client = signed_in(staff_with("keeper", *rights))
        for ask in (client.get, client.post):
            assert ask(page(Guest, name, foreign.pk)).status_code == 404
        assert untouched(foreign)

    @pytest.mark.parametrize("deed", ["send_credentials", "reset_password", "extend", "suspend", "anonymise"])
    def test_no_deed_reaches_a_foreign_guest(self, sponsor: User, foreign: Guest, deed: str) -> None:
        address = reverse("admin:guests_guest_deed", args=(foreign.pk, deed))
        given: dict[str, Any] = {"reason": "x", "duration": "1h", "sure": "on"}
        assert signed_in(sponsor).post(address, given).status_code == 404
        bulk = {"action": deed, "_selected_action": [foreign.pk], "confirmed": "1"} | given
        signed_in(sponsor).post(page(Guest, "changelist"), bulk)
        assert untouched(foreign)
        assert not Message.objects.exists()

    def test_a_chooser_offers_own_guests_only(self, sponsor: User) -> None:
        found = signed_in(sponsor).get(page(Guest, "changelist"), {"q": "916 123-45-02"}).content.decode()
        assert "+79161234502" not in found
