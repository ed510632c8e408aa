"""OAuth2 clients: programs with an id and a secret, which is shown once and known by its hash from then on."""

from datetime import timedelta
from typing import Unpack

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AccessToken, Application, RefreshToken

from portal import expiry, key_makers, narrowing
from portal.errors import Refusal
from portal.models import ApiSession, OAuthClient, User
from portal.narrowing import Narrowing, State
from portal.portions import drop, in_portions

#: How long the id and the secret of a closed client are known: nobody guesses who comes with them.
KEPT_CLOSED = timedelta(days=30)
#: It may come by itself only, and has nobody to act as. No client is made so.
CLOSED = Q(authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS, user=None)
#: How many rows one statement removes.
BATCH = 100


def set_up() -> QuerySet[OAuthClient]:
    """Those that people have made and not closed."""
    return OAuthClient.objects.exclude(CLOSED)


def make(
    name: str, user: User | None = None, *, by: User | None = None, **given: Unpack[Narrowing]
) -> tuple[OAuthClient, str]:
    """A new client and its secret, which nobody can read again.

    With a user it comes by client credentials and acts as that user, for what is `given`; without one it opens sessions
    of others with their passwords. `by` makes it, and must not gain by it. Raises Refusal (fields `name`, `user`, and
    those of `Narrowing`).
    """
    name = narrowing.check_name(name)
    if user is not None and not expiry.may_act(user):
        raise Refusal(_("This account is switched off or over."), field="user")
    _check_narrowing(by, user, given)
    secret = generate_client_secret()
    client = OAuthClient.objects.create(
        name=name,
        user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS if user else Application.GRANT_PASSWORD,
        client_secret=secret,
        **narrowing.checked(**given),
    )
    return client, secret


def change(client: OAuthClient, name: str, *, by: User | None = None, **given: Unpack[Narrowing]) -> None:
    """From the next call on it is for what is given, and so are its tokens. Raises Refusal as `make` does."""
    name = narrowing.check_name(name)
    _check_narrowing(by, client.user, given)
    columns = narrowing.checked(**given)
    with transaction.atomic():
        # Its name and what it is for are in different tables.
        OAuthClient.objects.filter(pk=client.pk).update(name=name, **columns)


def state_of(client: OAuthClient) -> State:
    """Its state at this moment."""
    if narrowing.has_ended(client):
        return State.ENDED
    opens_sessions = client.allows_grant_type(Application.GRANT_PASSWORD)
    return State.VALID if opens_sessions or (client.user and expiry.may_act(client.user)) else State.ASLEEP


def renew_secret(client: OAuthClient, *, by: User | None = None) -> str:
    """Another secret in the place of the one there was; whatever was given for that has ended. Raises Refusal."""
    if by is not None and client.user is not None:
        key_makers.check(by, client.user, rights=client.rights, gateways=client.gateways)
    secret: str = generate_client_secret()
    with transaction.atomic():
        client.client_secret = secret
        client.save(update_fields=["client_secret", "updated"])
        end_tokens(client)
    return secret


def close(client: OAuthClient) -> None:
    """It comes no more, and whatever was given to it has ended.

    What is left of it is for the Defender: a program that goes on with its tokens within a day, or with its secret
    within 30, is refused, and is not taken for somebody who guesses, which would block its host.
    """
    closed = {"user": None, "authorization_grant_type": Application.GRANT_CLIENT_CREDENTIALS}
    with transaction.atomic():
        Application.objects.filter(pk=client.pk).update(**closed, updated=timezone.now())
        end_tokens(client)


def drop_closed() -> int:
    """Housekeeping: forgets clients that were closed long ago. Returns how many."""
    before = timezone.now() - KEPT_CLOSED
    return in_portions(lambda most: drop(OAuthClient.objects.filter(CLOSED, updated__lt=before), most), BATCH)


def end_tokens(client: Application) -> None:
    """Ends every token and every session of the client."""
    now = timezone.now()
    RefreshToken.objects.filter(application=client, revoked=None).update(revoked=now, updated=now)
    # They stay for a day: a program that goes on with one is not taken for somebody who guesses.
    AccessToken.objects.filter(application=client, expires__gt=now).update(expires=now)
    ApiSession.objects.filter(client=client, ended_at=None).update(ended_at=now)


def _check_narrowing(by: User | None, user: User | None, given: Narrowing) -> None:
    """Raises Refusal where `by` would gain by a client that is for so much, or where it is none to be narrowed."""
    if user is None:
        if fields := [name for name, value in given.items() if value]:
            sentence = _("A client without a user opens sessions, which are for all that their users may.")
            raise Refusal(sentence, field=fields[0])
    elif by is not None:
        key_makers.check(by, user, **given)
