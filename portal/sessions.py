"""Sessions of programs: what is noted of one, whether it still stands, and how it ends with all of its tokens."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from oauth2_provider.models import AccessToken, Application, RefreshToken, refresh_token_expire_timedelta

from portal import expiry
from portal.models import ApiSession, User
from portal.portions import drop, in_portions

#: The client of all programs that name none that was set up.
ANYBODY = "any-program"
#: What has ended is remembered so long: its use is no guess.
KEPT_AFTER_END = timedelta(hours=24)
#: How many rows one statement removes.
BATCH = 1000


def anybody() -> Application:
    """A public client without a secret, made when it is needed first."""
    return Application.objects.get_or_create(
        client_id=ANYBODY,
        defaults={
            "name": "Any program",
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_PASSWORD,
            "client_secret": "",
            "hash_client_secret": False,
        },
    )[0]


def note_begun(refresh_token: RefreshToken, user: User, address: str | None) -> None:
    """A session begins with this token and the one that it renews; the caller has the transaction."""
    ApiSession.objects.create(
        family=refresh_token.token_family,
        user=user,
        client=refresh_token.application,
        given_for=user.get_session_auth_hash(),
        access_checksum=refresh_token.access_token.token_checksum,
        address=address,
        last_used=timezone.now(),
        last_address=address,
        renewable_until=_renewable_until(refresh_token),
    )


def note_renewed(refresh_token: RefreshToken, address: str | None) -> None:
    """It goes on with these tokens."""
    ApiSession.objects.filter(family=refresh_token.token_family).update(
        access_checksum=refresh_token.access_token.token_checksum,
        former_checksum=F("access_checksum"),
        last_used=timezone.now(),
        last_address=address,
        renewable_until=_renewable_until(refresh_token),
    )


def _renewable_until(refresh_token: RefreshToken) -> datetime:
    until: datetime = refresh_token.access_token.expires + refresh_token_expire_timedelta()
    return until


def is_still_good(user: User, given_for: str) -> bool:
    """Whether what was given for the session would still begin one: the same password, and a user whom it lets in."""
    return (
        expiry.may_act(user)
        and user.password_opens_api
        and constant_time_compare(given_for, user.get_session_auth_hash())
    )


def end(session: ApiSession) -> bool:
    """Ends it with all of its tokens; false where that was done before."""
    RefreshToken.revoke_family(session.family)
    return ApiSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=timezone.now()) == 1


def alive() -> Q:
    """Rows of those that have not ended, and can still be renewed."""
    return Q(ended_at=None, renewable_until__gt=timezone.now())


def of_token(checksum: str) -> ApiSession | None:
    """The session to which the token belongs or belonged lately, the one that renewed it included."""
    return ApiSession.objects.filter(Q(access_checksum=checksum) | Q(former_checksum=checksum)).first()


def drop_old_tokens() -> int:
    """Housekeeping: forgets what ended long ago, sessions as well as tokens of clients. Returns how many rows.

    `clear_expired` of django-oauth-toolkit would forget a client's token the moment it ends: a client that uses each
    until it is refused would seem to guess. Renewed tokens stay as long as their reuse has to be noticed.
    """
    return in_portions(_drop_sessions, BATCH) + in_portions(_drop_renewed, BATCH) + in_portions(_drop_access, BATCH)


def _drop_sessions(most: int) -> int:
    before = timezone.now() - KEPT_AFTER_END
    over = ApiSession.objects.filter(Q(renewable_until__lt=before) | Q(ended_at__lt=before))
    families = list(over.values_list("family", flat=True)[:most])
    tokens = RefreshToken.objects.filter(token_family__in=families)
    AccessToken.objects.filter(pk__in=tokens.values("access_token")).delete()
    tokens.delete()
    ApiSession.objects.filter(family__in=families).delete()
    return len(families)


def _drop_renewed(most: int) -> int:
    before = timezone.now() - timedelta(days=settings.API_REFRESH_DAYS)
    return drop(RefreshToken.objects.filter(revoked__lt=before), most)


def _drop_access(most: int) -> int:
    """Those that nothing renews."""
    before = timezone.now() - KEPT_AFTER_END
    return drop(AccessToken.objects.filter(refresh_token__isnull=True, expires__lt=before), most)
