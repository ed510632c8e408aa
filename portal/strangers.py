"""Names that strangers type. One that belongs to no user may be a password in the wrong field, so it is not kept."""

from django.utils.crypto import salted_hmac

from portal.models import User

#: No user name has this letter.
MARK = "?"


def name_to_keep(typed: str) -> str:
    """A user's name as it is; for any other a mark, the same each time, that tells nothing of it."""
    if not typed:
        return ""
    # What cannot be printed is no user's name, and no database takes all of it.
    if typed.isprintable() and User.objects.filter(username=typed).exists():
        return typed
    return mark(typed)


def mark(typed: str) -> str:
    """The same each time for the same name, and tells nothing of it."""
    digest = salted_hmac("portal.strangers", typed.encode(errors="surrogatepass"), algorithm="sha256").hexdigest()
    return f"{MARK}{digest[:12]}"
