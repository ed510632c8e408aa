"""API keys: made once, shown once, and known by their digests from then on."""

import hashlib
import re
import secrets
from typing import Unpack

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import expiry, narrowing
from portal.errors import Refusal
from portal.models import ApiKey, User
from portal.narrowing import Narrowing, State

#: What scanners for leaked secrets look for.
PREFIX = "gsp_"
RANDOM_BYTES = 32
SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
#: How much of a key is kept to be recognised by.
SHOWN = len(PREFIX) + 6


def state_of(key: ApiKey) -> State:
    """Its state at this moment."""
    if key.revoked_at is not None:
        return State.REVOKED
    if narrowing.has_ended(key):
        return State.ENDED
    return State.VALID if expiry.may_act(key.user) else State.ASLEEP


def in_time() -> Q:
    """The keys that were not revoked and have not ended, as a condition."""
    return Q(revoked_at=None) & narrowing.in_time()


def issue(user: User, name: str, *, by: User | None = None, **given: Unpack[Narrowing]) -> tuple[ApiKey, str]:
    """A new key of this user, and the key itself, which nobody can read again.

    Raises Refusal (fields `name`, `rights`, `gateways`, `networks`, `expires_at`).
    """
    name = narrowing.check_name(name)
    columns = narrowing.checked(**given)
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    row = ApiKey(
        user=user,
        name=name,
        beginning=key[:SHOWN],
        digest=digest_of(key),
        made_by=by,
        **columns,
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
