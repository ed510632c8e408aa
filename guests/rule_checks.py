"""What the rules of self-registration must fulfil, and how a person's lists are read. Knows no HTTP."""

import re
from collections.abc import Callable, Iterable

from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator
from django.utils.translation import gettext as _
from phonenumbers import SUPPORTED_REGIONS

from guests.captive import hosts
from guests.models import RegistrationRules
from portal.errors import Refusal

#: What is allowed in an hour, and in the day that the hour belongs to.
SPANS = ("phone", "address", "network", "device", "portal")
#: What does nothing, or ends all, where it is 0.
AT_LEAST_ONE = ("brake_minutes", "approval_hours", "journal_days")

_is_domain = DomainNameValidator(accept_idna=False)


def check(rules: RegistrationRules) -> None:
    """Raises Refusal, which names the field, where these rules cannot be."""
    _check_fields(rules)
    for name in AT_LEAST_ONE:
        if not getattr(rules, name):
            raise Refusal(_("This must be 1 or more."), field=name)
    for name in SPANS:
        in_hour, in_day = getattr(rules, f"{name}_hour"), getattr(rules, f"{name}_day")
        if in_day and in_day < in_hour:
            sentence = _(
                "The limit for a day is below that for an hour (%(hour)s): raise this one, or lower the other."
            )
            raise Refusal(sentence % {"hour": in_hour}, field=f"{name}_day")
    if rules.brake_percent > 100:
        raise Refusal(_("Write a share from 1 to 100 percent, or 0 for no brake."), field="brake_percent")


def read_hosts(entries: Iterable[str]) -> list[str]:
    """Hosts that guests may be sent to. Raises Refusal."""
    return hosts.parse_hosts("\n".join(entries))


def read_countries(entries: Iterable[str]) -> list[str]:
    """Countries by their two letters. Raises Refusal (field `countries`)."""
    return _read(entries, str.upper, _check_country)


def read_domains(entries: Iterable[str]) -> list[str]:
    """Domains of e-mail addresses. Raises Refusal (field `sponsor_domains`)."""
    return _read(entries, lambda word: word.lower().removeprefix("@"), _check_domain)


#: How each list is read.
LISTS: dict[str, Callable[[Iterable[str]], list[str]]] = {
    "redirect_hosts": read_hosts,
    "countries": read_countries,
    "sponsor_domains": read_domains,
}


def words_of(text: str) -> list[str]:
    """The entries of a list as people type it: one a line, or with commas between."""
    return [word for word in re.split(r"[\s,;]+", text) if word]


def _read(entries: Iterable[str], spell: Callable[[str], str], check_one: Callable[[str], None]) -> list[str]:
    found = list(dict.fromkeys(spell(word) for word in words_of("\n".join(entries))))
    for one in found:
        check_one(one)
    return found


def _check_country(code: str) -> None:
    if code not in SUPPORTED_REGIONS:
        sentence = _("“%(entry)s” is no country. Write its two letters: RU, KZ, DE.")
        raise Refusal(sentence % {"entry": code[:80]}, field="countries")


def _check_domain(domain: str) -> None:
    try:
        _is_domain(domain)
    except ValidationError:
        sentence = _("“%(entry)s” is no domain. Write what stands after the @ of an address: example.org.")
        raise Refusal(sentence % {"entry": domain[:80]}, field="sponsor_domains") from None


def _check_fields(rules: RegistrationRules) -> None:
    try:
        rules.clean_fields(exclude={"id", *LISTS})
    except ValidationError as error:
        field, found = next(iter(error.message_dict.items()))
        raise Refusal(" ".join(found), field=field) from None
