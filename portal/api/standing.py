"""What a token stands for: itself, its user and that user's rights, read in one query and kept while they are true."""

from typing import Any

from django.db.models import CharField, F, Func, OuterRef, Q, QuerySet, Subquery, Value

from portal import permissions, versions
from portal.models import ApiToken, KeptChange
from portal.rows import copied
from portal.versions import Kept

_kept: Kept[str, ApiToken] = Kept()


class _Joined(Func):
    """All values of a query in one text."""

    function = "STRING_AGG"
    output_field = CharField()

    def as_sqlite(self, *arguments: Any, **options: Any) -> Any:
        return super().as_sql(*arguments, function="GROUP_CONCAT", **options)  # type: ignore[misc]


def of(digest: str) -> ApiToken | None:
    """The stored token with this digest, its user and the user's rights with it; None where there is none.

    What is given is the caller's own copy. The end of a token that is kept may have been moved to a later time.
    """
    token = _kept.get(digest)
    if token is None:
        token = _read(digest)
        if token is None:
            return None
    return _copied(token)


def read_anew(digest: str) -> ApiToken | None:
    """The same from the database."""
    token = _read(digest)
    return token and _copied(token)


def slid(token: ApiToken) -> None:
    """A use has moved the token's end: what is kept of it follows."""
    kept = _kept.get(token.digest)
    if kept is not None:
        kept.expiry, kept.last_used, kept.last_address = token.expiry, token.last_used, token.last_address


def _read(digest: str) -> ApiToken | None:
    rights = _granted().annotate(names=_Joined(F("codename"), Value(","))).values("names")
    version = KeptChange.objects.annotate(sum=Func("value", function="SUM")).values("sum")
    token: ApiToken | None = (
        ApiToken.objects.select_related("user")
        .filter(digest=digest, expiry__isnull=False)
        .annotate(rights=Subquery(rights), version=Subquery(version))
        .first()
    )
    if token is not None:
        state = token.__dict__
        permissions.keep_granted(token.user, (state.pop("rights") or "").split(","))
        _kept.put(digest, versions.noted(int(state.pop("version") or 0)), token)
    return token


def _granted() -> QuerySet[Any]:
    return permissions.granted(Q(user=OuterRef("user")) | Q(group__user=OuterRef("user"))).order_by()


def _copied(token: ApiToken) -> ApiToken:
    """What a request may change without changing what others read."""
    copy = copied(token)
    copy.user = copied(token.user)
    return copy
