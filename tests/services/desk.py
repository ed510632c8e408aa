"""What the database of a portal that runs says of its guests. Runs in the environment of that portal."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Sum
from django.utils import timezone

from gateways.models import SandboxSms
from guests import limits, rules
from guests.limits import brake
from guests.models import Code, LimitCount, Registration
from messaging import codes
from messaging.models import Door, Message
from messaging.retries import Kind
from portal import clients, keys
from portal.housekeeping import keep_house
from portal.models import User
from tests.conftest import PASSWORD
from tests.guests.test_registration import let_time_pass
from tests.portal.ways_in import WAYS

__all__ = [
    "client_of_its_own",
    "counts",
    "key_for_program",
    "let_a_year_pass",
    "let_time_pass",
    "seen",
    "send_code",
    "set_rules",
    "tries",
    "ways_in",
]


def seen() -> dict[str, Any]:
    """Messages with codes that were accepted and that arrived, who is held back, and the brake."""
    pulled = brake.current()
    codes = Message.objects.filter(kind=Kind.CODE)
    return {
        "accepted": codes.count(),
        "arrived": SandboxSms.objects.filter(key__in=[message.key for message in codes]).count(),
        "held": [[row.scope, row.key, row.count, row.refused] for row in limits.held_back()],
        "refused": dict(LimitCount.objects.order_by("scope").values_list("scope").annotate(Sum("refused"))),
        "pulled_at": pulled.pulled_at.timestamp() if pulled.pulled_at else None,
        "stopped": brake.is_pulled(pulled, timezone.now()),
    }


def counts() -> list[list[Any]]:
    """Every limit that something is counted against, and how often."""
    rows = LimitCount.objects.filter(count__gt=0).values_list("scope", "minutes", "key", "count")
    return [list(row) for row in rows]


def tries(phone: str) -> dict[str, Any]:
    """How many codes were judged for the last registration of this phone, and what became of it."""
    own = Registration.objects.filter(phone=phone).latest("pk")
    return {"tries": own.tries, "stage": own.stage, "judged": Code.objects.get(phone=phone).tries}


def set_rules(**given: Any) -> None:
    """As an administrator does, who names only what is to change."""
    rules.change(**given)


def send_code(phone: str, code: str) -> int:
    """A message with this code, as a guest's phone gets it; its id."""
    return codes.send(phone=phone, code=code, language="en", door=Door.GUESTS).message.pk


def ways_in() -> dict[str, Any]:
    """What requests of the user `program` carry who comes in by each way."""
    program = User.objects.create_superuser("program", password=PASSWORD)
    return {name: asdict(way(program)) for name, way in WAYS.items()}


def key_for_program() -> str:
    """A key of the administrator."""
    return keys.issue(User.objects.get(username="admin"), "a program")[1]


def client_of_its_own() -> list[str]:
    """Id and secret of another OAuth2 client that acts as the user `program`."""
    client, secret = clients.make("another", User.objects.get(username="program"))
    return [client.client_id, secret]


def let_a_year_pass() -> None:
    """As if everything had been accepted longer ago than messages are kept, and the house is kept."""
    long_ago = timedelta(days=settings.MESSAGE_RETENTION_DAYS + 1)
    Message.objects.update(created=F("created") - long_ago, valid_until=F("valid_until") - long_ago)
    keep_house()
