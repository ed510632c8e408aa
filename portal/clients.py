"""OAuth2 clients: programs with an id and a secret, which is shown once and known by its hash from then on."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AccessToken, Application, RefreshToken

from portal import expiry, key_makers
from portal.errors import Refusal
from portal.models import ApiSession, OAuthClient, User
from portal.sessions import ANYBODY

LONGEST_NAME = 100


def make(name: str, user: User | None = None, *, by: User | None = None) -> tuple[OAuthClient, str]:
    """A new client and its secret, which nobody can read again.

    With a user it comes by client credentials and acts as that user; without one it opens sessions of others with their
    passwords. `by` makes it, and must not gain by it. Raises Refusal (fields `name`, `user`).
    """
    _check(name, user)
    _check_maker(by, user)
    secret = generate_client_secret()
    client = OAuthClient.objects.create(
        name=name.strip(),
        user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS if user else Application.GRANT_PASSWORD,
        client_secret=secret,
    )
    return client, secret


def renew_secret(client: Application, *, by: User | None = None) -> str:
    """Another secret in the place of the one there was; whatever was given for that has ended. Raises Refusal."""
    if client.client_id == ANYBODY:
        raise Refusal(_("This client stands for all that were not set up: it has no secret."))
    _check_maker(by, client.user)
    secret: str = generate_client_secret()
    with transaction.atomic():
        client.client_secret = secret
        client.save(update_fields=["client_secret", "updated"])
        end_tokens(client)
    return secret


def end_tokens(client: Application) -> None:
    """Ends every token and every session of the client."""
    now = timezone.now()
    RefreshToken.objects.filter(application=client, revoked=None).update(revoked=now, updated=now)
    # They stay for a day: a program that goes on with one is not taken for somebody who guesses.
    AccessToken.objects.filter(application=client, expires__gt=now).update(expires=now)
    ApiSession.objects.filter(client=client, ended_at=None).update(ended_at=now)


def _check(name: str, user: User | None) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise Refusal(_("Give a name of 1 to %(most)s characters.") % {"most": LONGEST_NAME}, field="name")
    if user is not None and not expiry.may_act(user):
        raise Refusal(_("This account is switched off or over."), field="user")


def _check_maker(by: User | None, user: User | None) -> None:
    """A client's secret opens all that its user may do, then too when the user was given more."""
    if by is not None and user is not None and not key_makers.may_make_all_for(by, user):
        sentence = _("You may have clients act as yourself. Only who holds every right has them act as others.")
        raise Refusal(sentence, field="user")
