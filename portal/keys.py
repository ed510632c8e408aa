"""API keys: made once, shown once, and known by their digests from then on."""

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_network

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from portal import expiry, registry
from portal.errors import Refusal
from portal.models import ApiKey, User
from portal.permissions import Right

#: What scanners for leaked secrets look for.
PREFIX = "gsp_"
RANDOM_BYTES = 32
SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
#: How much of a key is kept to be recognised by.
SHOWN = len(PREFIX) + 6
LONGEST_NAME = 100


class State(StrEnum):
    """Whether a key opens the API now, and if not, why."""

    VALID = "valid"
    ENDED = "ended"
    REVOKED = "revoked"
    #: It is good; its user is switched off or over.
    ASLEEP = "asleep"


def state_of(key: ApiKey) -> State:
    """Its state at this moment."""
    if key.revoked_at is not None:
        return State.REVOKED
    if key.expires_at is not None and key.expires_at <= timezone.now():
        return State.ENDED
    return State.VALID if expiry.may_act(key.user) else State.ASLEEP


def in_time() -> Q:
    """The keys that were not revoked and have not ended, as a condition."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def gateway_names() -> dict[int, str]:
    """Of every gateway its name by its id, as the floor of gateways hands them down."""
    return {number: name for path in registry.GATEWAYS for number, name in import_string(path)().items()}


def issue(
    user: User,
    name: str,
    *,
    rights: Collection[str] = (),
    gateways: Collection[int] = (),
    networks: Collection[str] = (),
    expires_at: datetime | None = None,
    by: User | None = None,
) -> tuple[ApiKey, str]:
    """A new key of this user, and the key itself, which nobody can read again.

    No `rights` are all that the user has at each moment, no `gateways` (by id) every one, no `networks` (CIDR) every
    address. Raises Refusal (fields `name`, `rights`, `gateways`, `networks`, `expires_at`).
    """
    _check(name, rights, gateways, networks, expires_at)
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    row = ApiKey(
        user=user,
        name=name.strip(),
        beginning=key[:SHOWN],
        digest=digest_of(key),
        rights=sorted(rights),
        gateways=sorted(gateways),
        networks=[str(ip_network(network, strict=False)) for network in networks],
        expires_at=expires_at,
        made_by=by,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Refusal(_("This user has a key of this name already."), field="name") from None
    return row, key


def revoke(key: ApiKey) -> bool:
    """Ends the key for good; false where that was done before."""
    return ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()) == 1


def digest_of(presented: str) -> str:
    """A key holds 256 random bits: nobody guesses it, so its digest needs no salt and no slow hash."""
    return hashlib.sha256(presented.encode(errors="surrogatepass")).hexdigest()


def _check(
    name: str,
    rights: Collection[str],
    gateways: Collection[int],
    networks: Collection[str],
    expires_at: datetime | None,
) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise Refusal(_("Give a name of 1 to %(most)s characters.") % {"most": LONGEST_NAME}, field="name")
    if unknown := sorted(set(rights) - set(Right)):
        raise Refusal(_("“%(name)s” is no right.") % {"name": unknown[0]}, field="rights")
    if gateways and not set(gateways) <= gateway_names().keys():
        raise Refusal(_("One of these gateways does not exist any more."), field="gateways")
    if any(not _is_network(network) for network in networks):
        raise Refusal(_("List networks such as 192.168.10.0/24,10.0.0.5/32."), field="networks")
    if expires_at and expires_at <= timezone.now():
        raise Refusal(_("This time is over; name a later one, or none."), field="expires_at")


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
