"""How tests visit the admin: somebody signed in, the addresses of a model's pages, and one row of every model."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY

from gateways.models import Gateway
from guests import rules, terms
from guests.look import branding
from guests.models import (
    Approval,
    Branding,
    Guest,
    GuestType,
    LimitCount,
    Registration,
    RegistrationRules,
    Scope,
    Sponsor,
    Stage,
    Terms,
)
from messaging.models import (
    Attempt,
    Batch,
    DeliveryEvent,
    InboundMessage,
    Message,
    MessageTemplate,
    OptOut,
    Step,
    Stop,
    Tally,
    TallyProgress,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
    WebhookTry,
)
from messaging.retries import Kind
from portal import clients, keys
from portal import sessions as api_sessions
from portal.defender import recent
from portal.models import (
    AllowedNetwork,
    ApiKey,
    ApiSession,
    ApiToken,
    AuditEvent,
    IdempotencyRecord,
    LastRun,
    OAuthClient,
    RecoveryCodes,
    RefusedTry,
    Role,
    RunningTotal,
    TotpDevice,
    User,
    WatchedHost,
    Way,
    WorkerHeartbeat,
)
from portal.permissions import Right
from portal.sign_in import sessions
from tests.statements import know_content_types

SECRET = "canary-Kenar-4711"
#: What a browser asks for.
ENGLISH = {"accept-language": "en"}


def signed_in(user: User) -> Client:
    """A browser in which the user, made staff if need be, has just signed in, by a second factor if there is one.

    It asks for English unless a request says otherwise.
    """
    if not user.is_staff:
        User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client(headers=ENGLISH)
    client.force_login(user)
    session = client.session
    session.update(dict.fromkeys((sessions.BEGUN, sessions.SEEN, sessions.CONFIRMED), sessions.now()))
    device = TotpDevice.objects.filter(user=user).first()
    if device is not None:
        session.update({DEVICE_ID_SESSION_KEY: device.persistent_id, sessions.VERIFIED: True})
    session.save()
    return client


def questions(client: Client, address: str) -> list[str]:
    """What a page asks of the database, in a second in which nobody else has asked for the same host."""
    recent.forget()
    know_content_types()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in asked.captured_queries]


def narrow_fields(gateway: Gateway) -> dict[str, Any]:
    """What the form of a new key or client sends of one that is for little, from two networks, and ends."""
    return {
        "rights": ["SMS_GATEWAY_READ", "SYSTEM_CREATE"],
        "gateways": [gateway.pk],
        "networks": "192.0.2.0/24, 2001:db8::1",
        "expires_at_0": "2999-12-31",
        "expires_at_1": "23:59:00",
    }


def page(model: type[Model], name: str, *args: Any) -> str:
    """The address of a page: `changelist`, `add`, `change`, `delete`."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def staff_with(name: str, *rights: Right) -> User:
    """A member of staff with these rights and no role."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(rights_as_permissions(*rights))
    return user


def rights_as_permissions(*rights: Right) -> Any:
    """The rights as rows."""
    permissions = User.user_permissions.field.related_model.objects  # type: ignore[attr-defined]
    return permissions.filter(content_type__app_label="portal", codename__in=rights)


def a_message(gateway: Gateway, **changes: Any) -> Message:
    """Credentials that failed, whose text is kept and holds the SECRET."""
    now = timezone.now()
    return Message.objects.create(
        **{
            "kind": Kind.CREDENTIALS,
            "priority": 2,
            "phone": "+79161234567",
            "gateway": gateway,
            "text": f"password {SECRET}",
            "masked_text": "password ••••••••",
            "encoding": "GSM-7",
            "segments": 1,
            "valid_until": now + timedelta(hours=1),
            "state": "failed",
        }
        | changes
    )


def _attempt(gateway: Gateway) -> Attempt:
    return Attempt.objects.create(message=a_message(gateway), gateway=gateway, epoch=1, key="k")


def _event(gateway: Gateway) -> DeliveryEvent:
    return DeliveryEvent.objects.create(gateway=gateway, reference="r", state="delivered")


def _owner(name: str) -> User:
    return User.objects.filter(username=name).first() or User.objects.create_user(name)


def _revoked_key() -> ApiKey:
    """The one that may be taken off the list."""
    key, _shown_once = keys.issue(_owner("program"), "monitoring")
    ApiKey.objects.filter(pk=key.pk).update(digest=SECRET, revoked_at=timezone.now())
    return key


def _session() -> ApiSession:
    now = timezone.now()
    return ApiSession.objects.create(
        family=uuid4(),
        user=_owner("program"),
        client=api_sessions.anybody(),
        given_for=SECRET,
        access_checksum=SECRET,
        last_used=now,
        renewable_until=now + timedelta(days=30),
    )


def _answer_kept() -> IdempotencyRecord:
    return IdempotencyRecord.objects.create(
        user=_owner("caller"), endpoint="POST /x", key="k", fingerprint="f" * 64, status=200, answer=SECRET
    )


def _approval() -> Approval:
    now = timezone.now()
    waiting = {"stage": "approval", "language": "en", "phone": "+79161234567", "verified_at": now}
    registration = Registration.objects.create(token_digest="d" * 60, **waiting)
    return Approval.objects.create(
        registration=registration, email="ada@example.org", link=SECRET, expires_at=now + timedelta(hours=8)
    )


def _registration() -> Registration:
    """Of a guest who is in and has not read the password yet."""
    guest = Guest.objects.create(username="79161234567", phone="+79161234567")
    return Registration.objects.create(
        token_digest=SECRET,
        stage=Stage.DONE,
        phone=guest.phone,
        guest=guest,
        language="en",
        address="192.0.2.7",
        device=f"{'d' * 20}{SECRET}",
        mac="02:00:00:00:00:01",
        arrival={"ssid": "Lobby"},
        password=SECRET,
    )


def _count() -> LimitCount:
    return LimitCount.objects.create(
        scope=Scope.PHONE, minutes=60, key="+79161234567", since=timezone.now(), count=3, most=3, refused=2
    )


def _webhook() -> Webhook:
    """One that a person has paused: where workers run, nobody is called."""
    return Webhook.objects.create(
        name="hotel desk",
        url="https://desk.example.org/hooks",
        events=["message.delivered", "sms.received"],
        secret=f"whsec_{SECRET}",
        former_secret=f"whsec_{SECRET}",
        former_until=timezone.now() + timedelta(hours=3),
        paused_at=timezone.now(),
        paused_because=Stop.PERSON,
    )


def _told() -> WebhookDelivery:
    """An event that one webhook could not be told."""
    webhook = Webhook.objects.first() or _webhook()
    body = '{"type":"gateway.up","timestamp":"2026-11-22T12:00:00.000Z","data":{"sms_gateway":"main"}}'
    event = WebhookEvent.objects.create(uid=f"msg_{secrets.token_hex(12)}", type="gateway.up", body=body)
    delivery = WebhookDelivery.objects.create(
        webhook=webhook,
        event=event,
        state="failed",
        due_at=None,
        tries=10,
        last_status=500,
        reason="the answer was 500",
    )
    WebhookTry.objects.create(delivery=delivery, milliseconds=31, status=500, reason="the answer was 500", answer="no")
    return delivery


#: One row of every model that the admin has pages for. A gateway is given to all.
MADE: dict[type[Model], Callable[[Gateway], Model]] = {
    User: lambda _: _owner("plain"),
    Role: lambda _: Role.objects.create(name="Night shift"),
    ApiToken: lambda _: ApiToken.objects.create(user=_owner("program"))[0],
    ApiKey: lambda _: _revoked_key(),
    ApiSession: lambda _: _session(),
    OAuthClient: lambda _: clients.make("monitoring", _owner("program"))[0],
    TotpDevice: lambda _: TotpDevice.objects.create(user=_owner("plain"), name="phone", key=SECRET),
    RecoveryCodes: lambda _: RecoveryCodes.objects.create(user=_owner("plain"), digests=[SECRET]),
    AuditEvent: lambda _: AuditEvent.objects.create(action="send_sms", status=200),
    IdempotencyRecord: lambda _: _answer_kept(),
    WorkerHeartbeat: lambda _: WorkerHeartbeat.objects.create(worker="celery@here", at=timezone.now()),
    WatchedHost: lambda _: WatchedHost.objects.create(host="192.0.2.7", until=timezone.now() + timedelta(minutes=9)),
    RefusedTry: lambda _: RefusedTry.objects.create(host="192.0.2.7", way=Way.PASSWORD),
    AllowedNetwork: lambda _: AllowedNetwork.objects.create(network="192.0.2.0/24"),
    RunningTotal: lambda _: RunningTotal.objects.create(name="calls", value=1, at=timezone.now()),
    LastRun: lambda _: LastRun.objects.create(name="housekeeping", at=timezone.now(), seconds=0.1),
    Gateway: lambda _: Gateway.objects.create(name="second", provider="sandbox"),
    Message: a_message,
    Attempt: _attempt,
    Step: lambda gateway: Step.objects.create(message=a_message(gateway), gateway=gateway, state="queued"),
    Batch: lambda _: Batch.objects.create(name="The pool is open", total=2),
    DeliveryEvent: _event,
    InboundMessage: lambda gateway: InboundMessage.objects.create(
        gateway=gateway, phone="+79161234567", text="Where is the Wi-Fi?", fingerprint="id 1"
    ),
    OptOut: lambda _: OptOut.objects.create(phone="+79161234567"),
    MessageTemplate: lambda _: MessageTemplate.objects.create(kind=Kind.INFORMATION, language="en", text="Hello"),
    Tally: lambda gateway: Tally.objects.create(
        span="hour", start=timezone.now(), gateway=gateway, kind=Kind.CODE, state="delivered", messages=1, segments=1
    ),
    TallyProgress: lambda _: TallyProgress.objects.create(pk=TallyProgress.ROW),
    Webhook: lambda _: _webhook(),
    WebhookDelivery: lambda _: _told(),
    Guest: lambda _: Guest.objects.create(username="bob", phone="+79161234567"),
    GuestType: lambda _: GuestType.objects.create(name="Contractor"),
    Terms: lambda _: terms.draft("en", "Be kind."),
    Sponsor: lambda _: Sponsor.objects.create(name="Ada", email="ada@example.org"),
    Approval: lambda _: _approval(),
    RegistrationRules: lambda _: RegistrationRules.objects.create(pk=rules.ROW),
    Branding: lambda _: Branding.objects.create(pk=branding.ROW, name="Hotel Aurora"),
    LimitCount: lambda _: _count(),
    Registration: lambda _: _registration(),
}
