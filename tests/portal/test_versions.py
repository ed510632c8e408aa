"""What is kept in memory of who may do what ends with the request after any change, by whatever way it is made."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from oauth2_provider.models import Application
from rest_framework.test import APIClient

from gateways import accounts, health, routing
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import CredentialsRefused, GatewayFault
from messaging.models import Message
from portal import sessions, versions
from portal.api import standing
from portal.models import ApiKey, ApiSession, ApiToken, KeptChange, OAuthClient, User
from portal.registry import WATCHED
from tests.conftest import PASSWORD, Api, with_role
from tests.portal.admin_pages import signed_in
from tests.portal.ways_in import WAYS
from tests.statements import statements

pytestmark = pytest.mark.django_db

SEND = "/api/v1/sms_gateways/send_sms"
ROLE = "SMS operator"
#: Ways in by an API key.
KEYS = ("api_key", "api_key_in_url", "basic_with_key")
CLIENTS = ("oauth2_client",)


def send(client: APIClient, parameters: dict[str, str] | None = None) -> Any:
    body = {"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Wi-Fi is back"}
    return client.post(SEND, body, format="json", query_params=parameters)


def role() -> Group:
    return Group.objects.get(name=ROLE)


def join(user: User) -> None:
    role().user_set.add(user)


def leave(user: User) -> None:
    role().user_set.remove(user)


def sending() -> Permission:
    return Permission.objects.get(codename="SMS_SEND_METHOD_AVAILABLE")


def stale(user: User) -> User:
    """The user as another process has it."""
    return User.objects.get(pk=user.pk)


def save_user(user: User, **changes: Any) -> None:
    other = stale(user)
    for name, value in changes.items():
        setattr(other, name, value)
    other.save()


def new_password(user: User) -> None:
    other = stale(user)
    other.set_password("another horse battery staple")
    other.save()


#: Ways in which a user ceases to be one who may use the token, and what the next request is told.
ENDS: dict[str, tuple[int, Callable[[User], object]]] = {
    "switched off, saved": (401, lambda user: save_user(user, is_active=False)),
    "switched off in bulk": (401, lambda user: User.objects.filter(pk=user.pk).update(is_active=False)),
    "written in bulk": (
        401,
        lambda user: User.objects.bulk_update([User(pk=user.pk, is_active=False)], ["is_active"]),
    ),
    "deleted": (401, lambda user: stale(user).delete()),
    "deleted in bulk": (401, lambda _user: User.objects.all().delete()),
    "account over": (401, lambda user: save_user(user, expires_at=timezone.now() - timedelta(seconds=1))),
    "another password": (401, new_password),
    "no way in with the password": (401, lambda user: save_user(user, password_opens_api=False)),
    "token deleted": (401, lambda user: ApiToken.objects.get(user=user).delete()),
    "tokens deleted in bulk": (401, lambda user: ApiToken.objects.filter(user=user).delete()),
    "tokens deleted by SQL": (401, lambda _user: sql("DELETE FROM portal_apitoken")),
    "token ended": (401, lambda user: ApiToken.objects.filter(user=user).update(expiry=timezone.now())),
    "token given away": (401, lambda _user: ApiToken.objects.update(user=User.objects.create(username="x"))),
    "role taken away": (403, lambda user: user.groups.remove(role())),
    "roles cleared": (403, lambda user: user.groups.clear()),
    "roles set": (403, lambda user: user.groups.set(Group.objects.filter(name="Auditor"))),
    "user taken out of the role": (403, leave),
    "role deleted": (403, lambda _user: role().delete()),
    "roles deleted in bulk": (403, lambda _user: Group.objects.all().delete()),
    "right taken from the role": (403, lambda _user: role().permissions.remove(sending())),
    "rights of the role set": (403, lambda _user: role().permissions.set(Permission.objects.none())),
    "rights of the role cleared": (403, lambda _user: role().permissions.clear()),
    "right deleted": (403, lambda _user: sending().delete()),
    "right renamed": (403, lambda _user: Permission.objects.filter(pk=sending().pk).update(codename="OTHER")),
}


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def client_of(user: User) -> APIClient:
    """With a token that was given for the user's password."""
    answer = APIClient().post("/api/v1/login", {"username": user.username, "password": PASSWORD}, format="json")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    return client


@pytest.mark.parametrize("name", ENDS)
def test_the_very_next_request_is_refused(operator: User, sandbox: Gateway, name: str) -> None:
    status, end = ENDS[name]
    client = client_of(operator)
    assert [send(client).status_code for _ in range(2)] == [200, 200]
    end(operator)
    assert send(client).status_code == status


#: What ends each credential beside what ends its user, and what the next request is told.
ENDS_OF_WAYS: dict[str, tuple[int, tuple[str, ...], Callable[[User], object]]] = {
    "switched off": (401, tuple(WAYS), lambda user: User.objects.filter(pk=user.pk).update(is_active=False)),
    "right taken from the role": (403, tuple(WAYS), lambda _user: role().permissions.remove(sending())),
    "another password": (401, ("envelope", "basic", "session"), new_password),
    "key revoked": (401, KEYS, lambda _user: ApiKey.objects.update(revoked_at=timezone.now())),
    "key ended": (401, KEYS, lambda _user: ApiKey.objects.update(expires_at=timezone.now())),
    "key deleted": (401, KEYS, lambda _user: ApiKey.objects.all().delete()),
    "key for other rights": (403, KEYS, lambda _user: ApiKey.objects.update(rights=["USERS_READ"])),
    "key for another gateway": (404, KEYS, lambda _user: ApiKey.objects.update(gateways=[4711])),
    "key for another network": (403, KEYS, lambda _user: ApiKey.objects.update(networks=["10.0.0.0/8"])),
    "client acts as another": (401, CLIENTS, lambda _user: Application.objects.update(user=None)),
    "client deleted": (401, CLIENTS, lambda _user: Application.objects.all().delete()),
    "client ended": (401, CLIENTS, lambda _user: OAuthClient.objects.update(expires_at=timezone.now())),
    "client for other rights": (403, CLIENTS, lambda _user: OAuthClient.objects.update(rights=["USERS_READ"])),
    "client for another gateway": (404, CLIENTS, lambda _user: OAuthClient.objects.update(gateways=[4711])),
    "client for another network": (403, CLIENTS, lambda _user: OAuthClient.objects.update(networks=["10.0.0.0/8"])),
    "session ended": (401, ("session",), lambda _user: sessions.end(ApiSession.objects.get())),
}


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name, (_, ways, _end) in ENDS_OF_WAYS.items() for way in ways]
)
def test_the_very_next_send_is_refused_by_whatever_way(operator: User, sandbox: Gateway, name: str, way: str) -> None:
    signed = WAYS[way](operator)
    client = APIClient(headers=signed.headers)
    assert [send(client, signed.parameters).status_code for _ in range(3)] == [200] * 3
    status, _ways, end = ENDS_OF_WAYS[name]
    end(operator)
    assert send(client, signed.parameters).status_code == status
    assert Message.objects.count() == 3


#: Ways in which somebody comes to a right.
BEGINS: dict[str, Callable[[User], object]] = {
    "role given": lambda user: user.groups.add(role()),
    "user put into the role": join,
    "made a superuser": lambda user: User.objects.filter(pk=user.pk).update(is_superuser=True),
    "rights given directly": lambda user: user.user_permissions.set(Permission.objects.all()),
}


@pytest.mark.parametrize("name", BEGINS)
def test_the_very_next_request_is_served(nobody: User, sandbox: Gateway, name: str) -> None:
    client = client_of(nobody)
    assert send(client).status_code == 403
    BEGINS[name](nobody)
    assert send(client).status_code == 200


def test_a_superuser_who_is_none_any_more_keeps_what_his_roles_give(admin: User, sandbox: Gateway) -> None:
    client = client_of(admin)
    assert send(client).status_code == 200
    User.objects.update(is_superuser=False)
    assert send(client).status_code == 403
    admin.groups.add(role())
    assert send(client).status_code == 200


def test_a_right_taken_away_on_the_page_of_its_role_is_gone(admin: User, operator: User, sandbox: Gateway) -> None:
    client, browser = client_of(operator), signed_in(admin)
    assert send(client).status_code == 200
    url = f"/admin/portal/role/{role().pk}/change/"
    left = role().permissions.exclude(pk=sending().pk).values_list("pk", flat=True)
    answer = browser.post(url, {"name": ROLE, "permissions": list(left)})
    assert answer.status_code == 302
    assert send(client).status_code == 403


#: What happens to a gateway, and what the next message for it is told.
GATEWAY_CHANGES: dict[str, Callable[[Gateway], object]] = {
    "switched off": lambda gateway: Gateway.objects.filter(pk=gateway.pk).update(enabled=False),
    "renamed": lambda gateway: Gateway.objects.filter(pk=gateway.pk).update(name="other"),
    "other prefixes": lambda gateway: Gateway.objects.filter(pk=gateway.pk).update(prefixes=["+49"]),
    "deleted": accounts.delete,
}


@pytest.mark.parametrize("name", GATEWAY_CHANGES)
def test_the_next_message_knows_what_became_of_its_gateway(api: Api, admin: User, name: str) -> None:
    gateway = accounts.create(name="sandbox", provider="sandbox")
    assert [routing.named("sandbox") for _ in range(2)] == [gateway, gateway]
    GATEWAY_CHANGES[name](gateway)
    assert send(api(admin)).status_code in {404, 422}


def test_another_default_gateway_is_known_at_once(db: None) -> None:
    first = accounts.create(name="first", provider="sandbox", is_default=True)
    second = accounts.create(name="second", provider="sandbox")
    assert [routing.default() for _ in range(2)] == [first, first]
    accounts.change(second, is_default=True)
    assert routing.default() == second


@pytest.mark.parametrize("fault", [GatewayFault("no funds"), CredentialsRefused("wrong key")])
def test_the_next_message_goes_round_a_gateway_that_has_a_fault(api: Api, admin: User, fault: GatewayFault) -> None:
    first, second = (
        Gateway.objects.create(name=name, provider="kannel", is_default=name == "sandbox")
        for name in ("sandbox", "second")
    )
    client = api(admin)
    assert [send(client).json()["item"]["sms_gateway"] for _ in range(2)] == ["sandbox", "sandbox"]
    health.record_fault(first.pk, fault)
    assert send(client).json()["item"]["sms_gateway"] == second.name
    health.begin_anew(first.pk)
    assert send(client).json()["item"]["sms_gateway"] == first.name


@pytest.mark.usefixtures("noon")
def test_a_daily_limit_counts_every_message_that_went(api: Api, admin: User) -> None:
    first, second = (
        Gateway.objects.create(name=name, provider="kannel", daily_limit=5 if name == "sandbox" else None)
        for name in ("sandbox", "second")
    )
    GatewayHealth.objects.create(gateway=first, day=timezone.localdate(), day_count=4)
    client = api(admin)
    assert [send(client).json()["item"]["sms_gateway"] for _ in range(2)] == ["sandbox", "sandbox"]
    GatewayHealth.objects.update(day_count=5)
    assert send(client).json()["item"]["sms_gateway"] == second.name


class TestWhatChangesNothing:
    @pytest.fixture
    def unchanged(self, operator: User, sandbox: Gateway) -> Callable[[Callable[[], object]], bool]:
        GatewayHealth.objects.create(gateway=sandbox)
        client_of(operator)

        def check(work: Callable[[], object]) -> bool:
            before = versions.now()
            work()
            return versions.now() == before

        return check

    def test_a_use_that_moves_a_tokens_end(self, unchanged: Callable[[Any], bool]) -> None:
        later = timezone.now() + timedelta(minutes=20)
        assert unchanged(lambda: ApiToken.objects.update(expiry=later, last_used=timezone.now(), last_address="::1"))
        assert not unchanged(lambda: ApiToken.objects.update(expiry=later - timedelta(seconds=1)))

    def test_a_sign_in(self, unchanged: Callable[[Any], bool]) -> None:
        assert unchanged(lambda: User.objects.update(last_login=timezone.now()))
        assert unchanged(lambda: ApiToken.objects.create(user=User.objects.get()))

    def test_messages_that_a_gateway_takes(self, unchanged: Callable[[Any], bool]) -> None:
        assert unchanged(lambda: GatewayHealth.objects.update(pace_tokens=0, pace_at=timezone.now(), day_count=7))
        assert not unchanged(lambda: GatewayHealth.objects.update(faults=1))

    def test_a_row_that_is_written_as_it_was(self, unchanged: Callable[[Any], bool]) -> None:
        assert unchanged(lambda: User.objects.get().save())


def test_what_was_undone_has_not_happened(operator: User, sandbox: Gateway) -> None:
    client = client_of(operator)
    assert send(client).status_code == 200
    with transaction.atomic():
        User.objects.update(is_active=False)
        assert client.get("/api/v1/token_info").status_code == 404
        transaction.set_rollback(True)
    assert send(client).status_code == 200


def test_who_may_do_what_is_one_small_question(operator: User, sandbox: Gateway) -> None:
    client = client_of(operator)
    first = statements(lambda: client.get("/api/v1/undeclared"))
    again = statements(lambda: client.get("/api/v1/undeclared"))
    # The Defender's own question is asked once a second.
    first = [sql for sql in first if "watchedhost" not in sql]
    assert len(first) == 1, "token, user, rights and version are read together"
    assert "portal_apitoken" in first[0]
    assert again == [versions.NOW]


def test_a_request_decides_by_one_version(operator: User, sandbox: Gateway) -> None:
    client = client_of(operator)
    send(client)
    sent = statements(lambda: send(client))
    assert sum(versions.NOW in sql for sql in sent) == 1
    assert not [sql for sql in sent if "portal_user" in sql.partition("WHERE")[0] and sql.startswith("SELECT")]
    assert not [sql for sql in sent if "gateways_gateway" in sql and sql.startswith("SELECT")]


def test_one_request_cannot_spoil_the_user_of_another(operator: User, sandbox: Gateway) -> None:
    token = ApiToken.objects.create(user=operator)[0]
    first = standing.tokens.of(token.digest)
    assert first
    first.user.is_active = False
    first.expiry = timezone.now()
    second = standing.tokens.of(token.digest)
    assert second
    assert second.user.is_active
    assert second.expiry > timezone.now()


def test_many_notes_become_one_and_the_version_is_a_new_one(operator: User) -> None:
    for _ in range(3):
        User.objects.update(first_name=timezone.now().isoformat())
    noted, before = KeptChange.objects.count(), versions.now()
    assert versions.forget_old_notes() == 0
    KeptChange.objects.update(at=timezone.now() - timedelta(minutes=2))
    assert versions.forget_old_notes() == noted - 1
    assert KeptChange.objects.count() == 1
    assert versions.now() not in {0, before}
    KeptChange.objects.update(at=timezone.now() - timedelta(minutes=2))
    assert versions.forget_old_notes() == 0


def test_a_migration_leaves_every_table_watched(operator: User) -> None:
    versions.unwatch()
    call_command("migrate", verbosity=0)
    if connection.vendor == "postgresql":
        rows = statements_of("SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE tgname = %s")
    else:
        rows = statements_of("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s || '%%update'")
    assert rows == {apps.get_model(watched.model)._meta.db_table for watched in WATCHED}


def statements_of(question: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(question, [versions.NAME])
        return {name for (name,) in cursor.fetchall()}


def test_somebody_with_another_role_is_not_taken_for_him(operator: User, sandbox: Gateway) -> None:
    clients = [client_of(operator), client_of(with_role("auditor", "Auditor"))]
    for _ in range(2):
        assert [send(client).status_code for client in clients] == [200, 403]
