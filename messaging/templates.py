"""What a template must and may hold, by its kind; and how it reads with sample values. Pure functions."""

from string import Template

from django.conf import settings
from django.utils.translation import gettext as _

from messaging import texts
from messaging.retries import Kind
from portal.errors import Refusal

#: Without these the text is of no use to whoever gets it.
MANDATORY: dict[str, tuple[str, ...]] = {
    Kind.CREDENTIALS: ("username", "password"),
    Kind.CODE: ("code",),
    Kind.INFORMATION: (),
}
SAMPLES = {"username": "ivanov.i", "password": "kofe-luna-42", "code": "483920"}


def allowed(kind: str) -> tuple[str, ...]:
    """The placeholders a text of this kind may hold."""
    return (*MANDATORY[kind], "portal")


def check(kind: str, text: str) -> None:
    """Raises Refusal (field `text`) where it cannot be filled, lacks what is mandatory or does not name the company."""
    texts.fill(text, **dict.fromkeys(allowed(kind), ""))
    held = set(Template(text).get_identifiers())
    missing = [name for name in MANDATORY[kind] if name not in held]
    if missing:
        names = ", ".join(f"${name}" for name in missing)
        raise Refusal(_("The text must hold %(names)s.") % {"names": names}, field="text")
    if "portal" not in held and settings.PORTAL_NAME.casefold() not in text.casefold():
        sentence = _("Providers demand that a text names who sends it: write $portal or “%(name)s” in it.")
        raise Refusal(sentence % {"name": settings.PORTAL_NAME}, field="text")


def sample(kind: str, text: str) -> str:
    """The text as somebody may get it. Raises Refusal where it cannot be filled."""
    values = {name: SAMPLES[name] for name in MANDATORY[kind]}
    return texts.fill(text, portal=settings.PORTAL_NAME, **values)
