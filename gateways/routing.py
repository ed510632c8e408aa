"""Which gateway for this phone now. Whether a gateway is paused is no question here: its messages wait for it."""

from django.utils.translation import gettext as _

from gateways.models import Gateway
from portal.errors import Refusal, Why


def named(name: str) -> Gateway:
    """The gateway with this name. Raises Refusal where there is none, or where it is switched off."""
    gateway = Gateway.objects.filter(name=name).first()
    if gateway is None:
        sentence = _("There is no gateway “%(name)s”.") % {"name": name}
        raise Refusal(sentence, field="gateway", why=Why.NOT_FOUND)
    return _switched_on(gateway)


def default() -> Gateway:
    """The default gateway. Raises Refusal where there is none, or where it is switched off."""
    gateway = Gateway.objects.filter(is_default=True).first()
    if gateway is None:
        raise Refusal(_("There is no default gateway: name one, or make one the default."), field="gateway")
    return _switched_on(gateway)


def _switched_on(gateway: Gateway) -> Gateway:
    if not gateway.enabled:
        raise Refusal(_("Gateway “%(name)s” is switched off.") % {"name": gateway.name}, field="gateway")
    return gateway


def choose(phone: str, name: str) -> Gateway:
    """The gateway that was named, else the default one. Raises Refusal where it may not send to this phone."""
    gateway = named(name) if name else default()
    if not serves(gateway, phone):
        sentence = _("Gateway “%(name)s” may not send to this phone: its prefixes leave it out.")
        raise Refusal(sentence % {"name": gateway.name}, field="gateway")
    return gateway


def serves(gateway: Gateway, phone: str) -> bool:
    """Whether the gateway's prefixes allow this E.164 phone; no prefixes allow any."""
    return not gateway.prefixes or phone.startswith(tuple(gateway.prefixes))
