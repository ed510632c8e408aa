"""Who may make OAuth2 clients and narrow them for how much, and what a client itself may make."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Gateway
from portal import clients
from portal.errors import Refusal
from portal.models import ApiKey, OAuthClient, User
from portal.permissions import Right
from tests.portal.admin_pages import staff_with
from tests.portal.token_calls import by_client, come

DAY = timedelta(days=1)
KEYS = "/api/v1/api_keys"


class TestKeysThatItMakes:
    """A key that is made with the token of a client goes not beyond the client."""

    ENDS = timezone.now() + DAY
    OWN = ("SYSTEM_READ", "SYSTEM_CREATE")

    @pytest.mark.parametrize(
        ("given", "asked", "field"),
        [
            ({"rights": OWN}, {}, "rights"),
            ({"rights": OWN}, {"rights": ["MESSAGES_READ"]}, "rights"),
            ({"networks": ["127.0.0.0/8"]}, {}, "networks"),
            ({"networks": ["127.0.0.0/8"]}, {"networks": ["127.0.0.1", "10.0.0.1"]}, "networks"),
            ({"expires_at": ENDS}, {}, "expires_at"),
            ({"expires_at": ENDS}, {"expires_at": (ENDS + DAY).isoformat()}, "expires_at"),
        ],
    )
    def test_one_that_goes_beyond_is_refused(
        self, admin: User, given: dict[str, Any], asked: dict[str, Any], field: str
    ) -> None:
        answer = by_client(admin, **given).post(KEYS, {"name": "new"} | asked, format="json")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
        assert not ApiKey.objects.exists()

    def test_one_of_other_gateways_is_refused(self, admin: User, sandbox: Gateway) -> None:
        client = by_client(admin, gateways=[sandbox.pk])
        answer = client.post(KEYS, {"name": "new"}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "sms_gateways")

    def test_one_that_stays_within_is_made(self, admin: User) -> None:
        client = by_client(admin, rights=self.OWN, networks=["127.0.0.0/8"], expires_at=self.ENDS)
        asked = {"rights": ["SYSTEM_READ"], "networks": ["127.0.0.1"], "expires_at": self.ENDS.isoformat()}
        assert client.post(KEYS, {"name": "new"} | asked, format="json").status_code == 201


class TestWhoNarrows:
    SYSTEM = (Right.SYSTEM_READ, Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE)

    def test_a_clerk_has_one_act_as_who_holds_less_for_rights_that_are_named(self, db: None) -> None:
        clerk, reader = staff_with("clerk", *self.SYSTEM), staff_with("reader", Right.SYSTEM_READ)
        with pytest.raises(Refusal) as refused:
            clients.make("new", reader, by=clerk)
        assert refused.value.field == "rights"
        assert clients.make("new", reader, by=clerk, rights=["SYSTEM_READ"])[0].user == reader

    @pytest.mark.parametrize("rights", [[], ["SYSTEM_READ", "MESSAGES_READ"]])
    def test_nobody_widens_one_beyond_his_own_rights(self, db: None, rights: list[str]) -> None:
        clerk, reader = staff_with("clerk", *self.SYSTEM), staff_with("reader", Right.SYSTEM_READ)
        client, _secret = clients.make("narrow", reader, rights=["SYSTEM_READ"])
        with pytest.raises(Refusal) as refused:
            clients.change(client, client.name, by=clerk, rights=rights)
        assert refused.value.field == "rights"
        assert OAuthClient.objects.get().rights == ["SYSTEM_READ"]

    def test_a_clerk_gives_one_another_secret_that_is_for_no_right_the_clerk_lacks(self, db: None) -> None:
        clerk, reader = staff_with("clerk", *self.SYSTEM), staff_with("reader", Right.SYSTEM_READ)
        narrow, _secret = clients.make("narrow", reader, rights=["SYSTEM_READ"])
        more, _secret = clients.make("more", reader, rights=["SYSTEM_READ", "MESSAGES_READ"])
        secret = clients.renew_secret(narrow, by=clerk)
        assert come(narrow.client_id, secret).status_code == 200
        with pytest.raises(Refusal):
            clients.renew_secret(more, by=clerk)
