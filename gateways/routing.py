"""Which gateway for this phone now. Whether a gateway is paused is no question here: its messages wait for it."""

from gateways.models import Gateway
from portal.errors import Refusal, Why

SWITCHED_OFF = "gateway '{}' is switched off"


def named(name: str) -> Gateway:
    """The gateway with this name. Raises Refusal where there is none, or where it is switched off."""
    gateway = Gateway.objects.filter(name=name).first()
    if gateway is None:
        raise Refusal(f"there is no gateway '{name}'", field="gateway", why=Why.NOT_FOUND)
    if not gateway.enabled:
        raise Refusal(SWITCHED_OFF.format(name), field="gateway")
    return gateway


def default() -> Gateway:
    """The default gateway. Raises Refusal where there is none, or where it is switched off."""
    gateway = Gateway.objects.filter(is_default=True).first()
    if gateway is None:
        raise Refusal("there is no default gateway: name one, or make one the default", field="gateway")
    if not gateway.enabled:
        raise Refusal(SWITCHED_OFF.format(gateway.name), field="gateway")
    return gateway


def choose(phone: str, name: str) -> Gateway:
    """The gateway that was named, else the default one. Raises Refusal where it may not send to this phone."""
    gateway = named(name) if name else default()
    if not serves(gateway, phone):
        raise Refusal(f"gateway '{gateway.name}' may not send to this phone's country or operator", field="gateway")
    return gateway


def serves(gateway: Gateway, phone: str) -> bool:
    """Whether the gateway's prefixes allow this E.164 phone; no prefixes allow any."""
    return not gateway.prefixes or phone.startswith(tuple(gateway.prefixes))
