"""The rules of self-registration as they are now, and what follows from them. Knows no HTTP."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumbers import PhoneNumberType, number_type, parse, region_code_for_number

from guests import rule_checks
from guests.models import RegistrationRules
from messaging import phones
from portal.errors import Refusal, Why

#: The only row there is.
ROW = 1
CLOSED = gettext_lazy("Registration is closed. Please ask at the reception.")
#: What numbers of mobile phones may look like: some countries do not tell them from others.
MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def current() -> RegistrationRules:
    """The rules; until somebody changes them, the usual ones."""
    return RegistrationRules.objects.filter(pk=ROW).first() or RegistrationRules(pk=ROW)


@transaction.atomic
def change(**given: Any) -> RegistrationRules:
    """Writes what is given, by the names of the fields; lists are lists of words. Raises Refusal, which names one."""
    RegistrationRules.objects.bulk_create([RegistrationRules(pk=ROW)], ignore_conflicts=True)
    rules = RegistrationRules.objects.select_for_update().get(pk=ROW)
    for name, value in given.items():
        read = rule_checks.LISTS.get(name)
        setattr(rules, name, read(value) if read else value)
    rule_checks.check(rules)
    rules.save(update_fields=list(given))
    return rules


def check_open(rules: RegistrationRules) -> None:
    """Raises Refusal (a conflict) where guests cannot register themselves."""
    if not rules.is_open:
        raise Refusal(CLOSED, why=Why.CONFLICT)


def countries(rules: RegistrationRules) -> list[str]:
    """The countries to whose numbers codes are sent."""
    return rules.countries or [settings.PHONE_REGION]


def country_of(phone: str) -> str:
    """The country of an E.164 phone; empty where it belongs to none, as satellite phones do."""
    return region_code_for_number(parse(phone)) or ""


def phone_to_write_to(raw: str, rules: RegistrationRules) -> str:
    """The phone in E.164. Raises Refusal (field `phone`) where no code may be sent to it."""
    phone = phones.normalise(raw)
    if country_of(phone) not in countries(rules):
        sentence = _("Codes are not sent to numbers of this country. Use another number, or ask at the reception.")
        raise Refusal(sentence, field="phone")
    if rules.mobile_only and number_type(parse(phone)) not in MOBILE:
        sentence = _("This is not the number of a mobile phone. Codes come by SMS: type one that receives them.")
        raise Refusal(sentence, field="phone")
    return phone
