"""Terms that guests agree to: drafts are written, published ones stay as they are. Knows no HTTP."""

import hashlib

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from guests.models import Terms
from portal.errors import Refusal, Why


def current(language: str) -> Terms | None:
    """What guests who read this language agree to now."""
    return Terms.objects.filter(language=language, published_at__isnull=False).order_by("-version").first()


def shown_to(language: str) -> Terms | None:
    """What a guest who reads this language agrees to: where there are none in it, those of the portal's language."""
    languages = [language, settings.LANGUAGE_CODE]
    published = Terms.objects.filter(language__in=languages, published_at__isnull=False)
    # Every guest page asks which they are, and one shows the text.
    newest = {terms.language: terms for terms in published.defer("text").order_by("version")}
    return next((newest[one] for one in languages if one in newest), None)


def draft(language: str, text: str) -> Terms:
    """The next version in this language, to be published when it is ready.

    Raises Refusal; a second draft is a conflict.
    """
    text = _tidy(text)
    last = Terms.objects.filter(language=language).aggregate(last=Max("version"))["last"] or 0
    try:
        with transaction.atomic():
            return Terms.objects.create(language=language, version=last + 1, text=text, digest=digest(text))
    except IntegrityError:
        sentence = _("There is a draft in this language already; publish or delete it first.")
        raise Refusal(sentence, field="language", why=Why.CONFLICT) from None


def next_version(terms: Terms) -> Terms:
    """A draft that begins as a copy of these terms. Raises Refusal as `draft` does."""
    return draft(terms.language, terms.text)


def rewrite(terms: Terms, text: str) -> Terms:
    """Another text for a draft. Raises Refusal; a published version is a conflict."""
    text = _tidy(text)
    _write_draft(terms, text=text, digest=digest(text))
    return terms


def publish(terms: Terms) -> None:
    """From now on guests agree to this version, and nobody can change it. Raises Refusal (a conflict)."""
    _write_draft(terms, published_at=timezone.now())


def delete(terms: Terms) -> None:
    """Throws a draft away. Raises Refusal (a conflict): somebody may have agreed to what was published."""
    if not Terms.objects.filter(pk=terms.pk, published_at__isnull=True).delete()[0]:
        raise _published()


def digest(text: str) -> str:
    """What proves which text somebody agreed to."""
    return hashlib.sha256(text.encode()).hexdigest()


def _tidy(text: str) -> str:
    tidy = "\n".join(line.rstrip() for line in text.splitlines()).strip()
    if not tidy:
        raise Refusal(_("The text is empty; write what guests agree to."), field="text")
    return tidy


def _write_draft(terms: Terms, **values: object) -> None:
    if not Terms.objects.filter(pk=terms.pk, published_at__isnull=True).update(**values):
        raise _published()
    for name, value in values.items():
        setattr(terms, name, value)


def _published() -> Refusal:
    sentence = _("A published version cannot be changed or deleted; make a new version from it.")
    return Refusal(sentence, why=Why.CONFLICT)
