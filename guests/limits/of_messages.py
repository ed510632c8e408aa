"""What a message with a code is counted against: the phone, where it was asked for, and the portal as a whole."""

import ipaddress
from dataclasses import dataclass

from django.conf import settings

from guests import rules as rules_of
from guests.limits.counting import DAY, HOUR, Limit
from guests.models import RegistrationRules, Scope

#: How many last digits of a phone tell apart the numbers of one range.
WITHIN_RANGE = 4
#: A phone is counted even where that limits nothing: who holds its row makes its code, and two at once make one.
NO_END = 2_000_000_000
#: The networks that belong to one hand, as a rule.
IPV4_NETWORK, IPV6_NETWORK = 24, 64


@dataclass(frozen=True)
class Asker:
    """Who asks for a message: the address, and what tells the device from others, where something does."""

    address: str | None = None
    device: str = ""


def limits_of(phone: str, asker: Asker, rules: RegistrationRules) -> list[Limit]:
    """Everything that one more message to this E.164 phone is counted against."""
    country = rules_of.country_of(phone)
    limits = [
        Limit(Scope.PHONE, HOUR, phone, rules.phone_hour or NO_END),
        Limit(Scope.PHONE, DAY, phone, rules.phone_day),
        Limit(Scope.PREFIX, HOUR, phone[:-WITHIN_RANGE], rules.prefix_hour),
        Limit(Scope.PORTAL, HOUR, "", rules.portal_hour),
        Limit(Scope.PORTAL, DAY, "", rules.portal_day),
    ]
    if country != settings.PHONE_REGION:
        limits.append(Limit(Scope.COUNTRY, HOUR, country, rules.foreign_hour))
    if asker.device:
        limits += [
            Limit(Scope.DEVICE, HOUR, asker.device, rules.device_hour),
            Limit(Scope.DEVICE, DAY, asker.device, rules.device_day),
        ]
    return limits + _of_address(asker.address, rules)


def is_of_venue(address: str) -> bool:
    """Whether a whole lobby may have this address."""
    found = ipaddress.ip_address(address)
    return any(found in network for network in settings.GUEST_NETWORKS)


def network_of(address: str) -> str:
    """The /24 or /64 of an address. An IPv6 host has all of its /64, so that is both."""
    found = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((found, IPV4_NETWORK if found.version == 4 else IPV6_NETWORK), strict=False))


def host_of(address: str) -> str:
    """What is counted as one address."""
    return address if ipaddress.ip_address(address).version == 4 else network_of(address)


def _of_address(address: str | None, rules: RegistrationRules) -> list[Limit]:
    if not address or is_of_venue(address):
        return []
    network = network_of(address)
    host = host_of(address)
    return [
        Limit(Scope.ADDRESS, HOUR, host, rules.address_hour),
        Limit(Scope.ADDRESS, DAY, host, rules.address_day),
        Limit(Scope.NETWORK, HOUR, network, rules.network_hour),
        Limit(Scope.NETWORK, DAY, network, rules.network_day),
    ]
