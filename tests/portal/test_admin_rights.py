"""Who may view, add, change and delete what in the admin, asked of its real addresses."""

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin as django_admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth, GatewaySession, SandboxSms
from guests.models import (
    Approval,
    Brake,
    Branding,
    Code,
    CodeMessage,
    Device,
    Guest,
    GuestImport,
    GuestImportRow,
    GuestType,
    LimitCount,
    Registration,
    RegistrationRules,
    SpentChallenge,
    Sponsor,
    Terms,
)
from messaging.models import (
    Attempt,
    Batch,
    DeliveryEvent,
    DeliveryReport,
    GatewayTold,
    InboundMessage,
    Message,
    MessageTemplate,
    OptOut,
    Step,
    Tally,
    TallyProgress,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
    WebhookTry,
)
from portal.models import (
    AllowedNetwork,
    ApiKey,
    ApiSession,
    ApiToken,
    AuditEvent,
    CallCount,
    IdempotencyRecord,
    KeptChange,
    LastRun,
    OAuthClient,
    RecoveryCodes,
    RefusedTry,
    Role,
    RunningTotal,
    TotpDevice,
    User,
    WatchedHost,
    WorkerHeartbeat,
)
from portal.permissions import Right
from tests.portal.admin_pages import MADE, SECRET, page, rights_as_permissions, signed_in, staff_with

OUR_APPS = ("portal", "gateways", "messaging", "guests")
#: What is on its way in is seen by nobody but who brought it, on the pages of the import; a spent challenge says
#: nothing.
PASSING = {GuestImport, GuestImportRow, SpentChallenge}

#: What each of the cast may do: v(iew), a(dd), c(hange), d(elete).
#: model: (administrator, SMS operator, auditor, nobody)
EXPECTED: dict[type[Model], tuple[str, str, str, str]] = {
    User: ("vacd", "", "v", ""),
    Role: ("vacd", "", "v", ""),
    ApiToken: ("vd", "", "v", ""),
    ApiKey: ("vad", "", "v", ""),
    ApiSession: ("vd", "", "v", ""),
    OAuthClient: ("vacd", "", "v", ""),
    TotpDevice: ("v", "", "v", ""),
    RecoveryCodes: ("v", "", "v", ""),
    AuditEvent: ("v", "", "v", ""),
    IdempotencyRecord: ("v", "", "v", ""),
    WorkerHeartbeat: ("v", "", "v", ""),
    WatchedHost: ("va", "", "v", ""),
    RefusedTry: ("v", "", "v", ""),
    AllowedNetwork: ("vad", "", "v", ""),
    RunningTotal: ("v", "", "v", ""),
    LastRun: ("v", "", "v", ""),
    Gateway: ("vacd", "v", "v", ""),
    Message: ("v", "", "v", ""),
    Attempt: ("v", "", "v", ""),
    Step: ("v", "", "v", ""),
    Batch: ("v", "", "v", ""),
    DeliveryEvent: ("v", "", "v", ""),
    InboundMessage: ("v", "", "v", ""),
    OptOut: ("vad", "", "v", ""),
    MessageTemplate: ("vacd", "a", "v", ""),
    Tally: ("v", "", "v", ""),
    TallyProgress: ("v", "", "v", ""),
    Webhook: ("vacd", "", "v", ""),
    WebhookDelivery: ("v", "", "v", ""),
    Guest: ("vacd", "", "v", ""),
    GuestType: ("vacd", "", "v", ""),
    Terms: ("vacd", "", "v", ""),
    Sponsor: ("vacd", "", "v", ""),
    Approval: ("v", "", "v", ""),
    RegistrationRules: ("vc", "", "v", ""),
    Branding: ("vc", "", "v", ""),
    LimitCount: ("v", "", "v", ""),
    Registration: ("v", "", "v", ""),
}
CAST = ("admin", "operator", "auditor", "nobody")

#: What they say is on the pages of gateways, on the sandbox phone, and on those of guests and registrations.
WITHOUT_PAGES: set[type[Model]] = {GatewayHealth, GatewaySession, SandboxSms}
WITHOUT_PAGES |= {Brake, CallCount, Code, CodeMessage, Device, KeptChange}
WITHOUT_PAGES |= {DeliveryReport, GatewayTold, WebhookEvent, WebhookTry}

#: The area of rights that opens each model's pages.
AREAS: dict[type[Model], str] = {
    Gateway: "SMS_GATEWAY",
    Guest: "USERS",
    MessageTemplate: "SYSTEM",
}


def open_pages(client: Client, model: type[Model], row: Model) -> str:
    """The letters of what is open. A page counts as closed only when it is forbidden."""
    answers = {
        "v": [client.get(page(model, "changelist")), client.get(page(model, "change", row.pk))],
        "a": [client.get(page(model, "add"))],
        # Nothing is filled in: whoever may change is told so by the form.
        "c": [client.post(page(model, "change", row.pk), {})],
        "d": [client.get(page(model, "delete", row.pk))],
    }
    statuses = {letter: {response.status_code for response in found} for letter, found in answers.items()}
    assert all(found in ({200}, {403}) for found in statuses.values()), statuses
    return "".join(letter for letter, found in statuses.items() if found == {200})


@pytest.mark.parametrize("model", EXPECTED, ids=lambda model: model.__name__)
@pytest.mark.parametrize("who", CAST)
def test_each_role_finds_the_pages_open_that_its_rights_open(
    request: pytest.FixtureRequest, sandbox: Gateway, who: str, model: type[Model]
) -> None:
    client = signed_in(request.getfixturevalue(who))
    row = MADE[model](sandbox)
    assert open_pages(client, model, row) == EXPECTED[model][CAST.index(who)]


@pytest.mark.parametrize("model", AREAS, ids=lambda model: model.__name__)
@pytest.mark.parametrize(
    ("verbs", "expected"),
    [
        (("READ",), "v"),
        (("CREATE",), "a"),
        (("UPDATE",), ""),
        (("DELETE",), ""),
        (("READ", "UPDATE"), "vc"),
        (("READ", "DELETE"), "vd"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else value,
)
def test_each_right_opens_its_own_page(
    sandbox: Gateway, model: type[Model], verbs: tuple[str, ...], expected: str
) -> None:
    staff = staff_with("clerk", *(Right(f"{AREAS[model]}_{verb}") for verb in verbs))
    assert open_pages(signed_in(staff), model, MADE[model](sandbox)) == expected


def test_every_model_of_ours_has_pages() -> None:
    ours = {model for app in OUR_APPS for model in apps.get_app_config(app).get_models()} - PASSING
    assert len(ours) > 10
    assert ours - WITHOUT_PAGES == set(EXPECTED) == set(MADE)


def test_no_model_has_pages_that_ask_for_no_right_of_ours() -> None:
    assert set(django_admin.site._registry) == set(EXPECTED)


def test_someone_who_is_no_staff_is_asked_to_sign_in(nobody: User) -> None:
    client = Client()
    client.force_login(nobody)
    response = client.get(reverse("admin:index"))
    assert response.status_code == 302
    assert reverse("admin:login") in response.headers["Location"]


def test_the_front_page_lists_only_what_may_be_seen(operator: User) -> None:
    html = signed_in(operator).get(reverse("admin:index")).content.decode()
    assert page(Gateway, "changelist") in html
    assert page(Guest, "changelist") not in html
    assert page(Message, "changelist") not in html


def test_the_front_page_of_somebody_without_rights_is_empty(nobody: User) -> None:
    response = signed_in(nobody).get(reverse("admin:index"))
    assert response.status_code == 200
    assert response.context["app_list"] == []


@pytest.mark.usefixtures("known_csrf_token")
@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@pytest.mark.parametrize("model", MADE, ids=lambda model: model.__name__)
def test_no_page_shows_a_secret(
    admin: User, auditor: User, sandbox: Gateway, model: type[Model], language: str
) -> None:
    token, text = ApiToken.objects.create(user=admin)
    row = MADE[model](sandbox)
    for user in (admin, auditor):
        client = signed_in(user)
        for name, args in (("changelist", ()), ("change", (row.pk,)), ("delete", (row.pk,))):
            html = client.get(page(model, name, *args), headers={"accept-language": language}).content.decode()
            for secret in (SECRET, token.digest, token.token_key, text, user.password, "argon2", "gAAAA"):
                assert secret not in html


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (User, "password__startswith"),
        (Guest, "password__startswith"),
        (ApiToken, "digest__startswith"),
        (ApiToken, "token_key__startswith"),
        (ApiToken, "user__password__startswith"),
        (Message, "requested_by__password__startswith"),
        (Message, "masked_text__startswith"),
        (Webhook, "secret__isnull"),
        (Webhook, "url__startswith"),
        (WebhookDelivery, "webhook__url__startswith"),
        (ApiKey, "digest__startswith"),
        (ApiSession, "access_checksum__startswith"),
        (ApiSession, "user__password__startswith"),
        (OAuthClient, "client_secret__startswith"),
        (ApiKey, "user__password__startswith"),
        (TotpDevice, "key__isnull"),
        (TotpDevice, "user__password__startswith"),
        (RecoveryCodes, "digests__contains"),
        (Registration, "token_digest__startswith"),
        (Registration, "password__isnull"),
        (Registration, "device__startswith"),
        (IdempotencyRecord, "fingerprint__startswith"),
    ],
)
def test_a_list_cannot_be_filtered_by_what_it_hides(auditor: User, model: type[Model], lookup: str) -> None:
    response = signed_in(auditor).get(page(model, "changelist"), {lookup: "a"})
    assert response.status_code == 400


@pytest.mark.parametrize(("user_right", "expected"), [(Right.SYSTEM_READ, 200), (Right.USERS_READ, 403)])
def test_the_choice_of_sponsors_is_for_those_who_may_see_staff(db: None, user_right: Right, expected: int) -> None:
    staff = staff_with("clerk", user_right)
    response = signed_in(staff).get(
        reverse("admin:autocomplete"),
        {"app_label": "guests", "model_name": "guest", "field_name": "sponsor", "term": "a"},
    )
    assert response.status_code == expected


def test_a_clerk_who_may_not_see_staff_is_offered_none(admin: User) -> None:
    clerk = staff_with("clerk", Right.USERS_CREATE, Right.USERS_READ)
    html = signed_in(clerk).get(page(Guest, "add")).content.decode()
    assert 'name="sponsor"' not in html
    assert 'name="sponsor"' in signed_in(admin).get(page(Guest, "add")).content.decode()


def test_a_token_can_be_ended(admin: User, auditor: User) -> None:
    token, _text = ApiToken.objects.create(user=auditor)
    response = signed_in(admin).post(page(ApiToken, "delete", token.pk), {"post": "yes"})
    assert response.status_code == 302
    assert not ApiToken.objects.filter(expiry__gt=timezone.now()).exists()


def test_rights_of_the_cast_are_rows(db: None) -> None:
    assert rights_as_permissions(*Right).count() == len(Right)
