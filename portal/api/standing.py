"""What a token or a key stands for: itself, its user and that user's rights, read in one query and kept while true."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db.models import CharField, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from oauth2_provider.models import AccessToken

from portal import narrowing, permissions, versions
from portal.models import ApiKey, ApiSession, ApiToken, KeptChange
from portal.rows import copied
from portal.versions import Kept

Credential = TypeVar("Credential", ApiToken, ApiKey, AccessToken)

#: The last use of a key or a session is known to so many seconds.
SEEN_EVERY = timedelta(seconds=20)


class _Joined(Func):
    """All values of a query in one text."""

    function = "STRING_AGG"
    output_field = CharField()

    def as_sqlite(self, *arguments: Any, **options: Any) -> Any:
        return super().as_sql(*arguments, function="GROUP_CONCAT", **options)  # type: ignore[misc]


class Standing(Generic[Credential]):
    """Of one kind of credential, by the column with the digest it is stored under. `moves` are what a use changes."""

    def __init__(self, rows: Callable[[], Any], moves: tuple[str, ...], stored_under: str = "digest") -> None:
        self._rows = rows
        self._moves = moves
        self._stored_under = stored_under
        self._kept: Kept[str, Credential] = Kept()

    def of(self, digest: str) -> Credential | None:
        """The stored credential with this digest, its user and the user's rights with it; None where there is none.

        What is given is the caller's own copy. What a use moves may be older than what another process has written.
        """
        found = self._kept.get(digest)
        if found is None:
            found = self._read(digest)
        return found and _copied(found)

    def read_anew(self, digest: str) -> Credential | None:
        """The same from the database."""
        found = self._read(digest)
        return found and _copied(found)

    def seen(self, used: Credential) -> None:
        """A use has moved some columns: what is kept follows."""
        kept = self._kept.get(getattr(used, self._stored_under))
        if kept is not None:
            for name in self._moves:
                setattr(kept, name, getattr(used, name))

    def _read(self, digest: str) -> Credential | None:
        rights = _granted().annotate(names=_Joined(F("codename"), Value(","))).values("names")
        version = KeptChange.objects.annotate(sum=Func("value", function="SUM")).values("sum")
        rows = self._rows().select_related("user").filter(**{self._stored_under: digest})
        found: Any = rows.annotate(rights_held=Subquery(rights), version=Subquery(version)).first()
        if found is not None:
            state = found.__dict__
            permissions.keep_granted(found.user, (state.pop("rights_held") or "").split(","))
            self._kept.put(digest, versions.noted(int(state.pop("version") or 0)), found)
        credential: Credential | None = found
        return credential


def _granted() -> QuerySet[Any]:
    return permissions.granted(Q(user=OuterRef("user")) | Q(group__user=OuterRef("user"))).order_by()


def _copied(found: Credential) -> Credential:
    """What a request may change without changing what others read."""
    copy = copied(found)
    copy.user = copied(found.user)
    return copy


def _access_tokens() -> Any:
    """Each with what is known of its session, or with whom its client acts as and for what, as a `Narrowed` has it."""
    session = ApiSession.objects.filter(access_checksum=OuterRef("token_checksum"))
    of_session = {name: Subquery(session.values(name)[:1]) for name in ("given_for", "last_used")}
    of_client = {name: F(f"application__oauthclient__{name}") for name in narrowing.COLUMNS}
    return AccessToken.objects.annotate(
        session_id=Subquery(session.values("pk")[:1]), acts_as=F("application__user_id"), **of_session, **of_client
    )


tokens: Standing[ApiToken] = Standing(ApiToken.objects.all, ("expiry", "last_used", "last_address"))
keys: Standing[ApiKey] = Standing(ApiKey.objects.all, ("last_used", "last_address"))
access: Standing[AccessToken] = Standing(_access_tokens, ("last_used",), "token_checksum")
