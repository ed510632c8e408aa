"""Which gateway for this phone now: the one that was asked for, else the next by priority and longest prefix.

A gateway may be used when it is switched on, its breaker lets messages pass, its credentials are not refused, its
daily limit is not reached and its prefixes allow the phone.
"""

from collections.abc import Collection

from django.utils.translation import gettext as _

from gateways import health, pace, providers
from gateways.models import Gateway
from portal.errors import Refusal, Why


def named(name: str) -> Gateway:
    """The gateway with this name. Raises Refusal where there is none, or where it is switched off."""
    gateway = Gateway.objects.select_related("health").filter(name=name).first()
    if gateway is None:
        sentence = _("There is no gateway “%(name)s”.") % {"name": name}
        raise Refusal(sentence, field="gateway", why=Why.NOT_FOUND)
    return _switched_on(gateway)


def default() -> Gateway:
    """The default gateway. Raises Refusal where there is none, or where it is switched off."""
    gateway = Gateway.objects.select_related("health").filter(is_default=True).first()
    if gateway is None:
        raise Refusal(_("There is no default gateway: name one, or make one the default."), field="gateway")
    return _switched_on(gateway)


def _switched_on(gateway: Gateway) -> Gateway:
    if not gateway.enabled:
        raise Refusal(_("Gateway “%(name)s” is switched off.") % {"name": gateway.name}, field="gateway")
    return gateway


def choose(phone: str, first: Gateway, *, strict: bool = False) -> Gateway:
    """The gateway for a new message to this phone: `first`, or with failover the next that may be used now.

    Where none may be used now, the one it waits for. Raises Refusal where no gateway's prefixes allow the phone.
    """
    if serves(first, phone) and may_be_used(first):
        return first
    others = [] if strict or not hands_on(first) else Survey().others(phone, without={first.pk})
    allowed = [first, *others] if serves(first, phone) else others
    if not allowed:
        sentence = _("Gateway “%(name)s” may not send to this phone: its prefixes leave it out.")
        raise Refusal(sentence % {"name": first.name}, field="gateway")
    return next(filter(may_be_used, allowed), allowed[0])


class Survey:
    """The gateways as they are at one moment, for decisions about many messages."""

    def __init__(self) -> None:
        self._all = list(Gateway.objects.select_related("health"))
        self._by_id = {gateway.pk: gateway for gateway in self._all}
        self._default = next((gateway for gateway in self._all if gateway.is_default), None)

    @property
    def default_is_strict(self) -> bool:
        """Whether messages that were meant for no gateway by name wait for the default one."""
        return self._default is not None and not hands_on(self._default)

    def strict(self) -> list[int]:
        """Gateways whose messages wait for them."""
        return [gateway.pk for gateway in self._all if not hands_on(gateway)]

    def unusable(self) -> list[Gateway]:
        """Gateways that no message may be handed to now."""
        return [gateway for gateway in self._all if not may_be_used(gateway)]

    def stand_ins_for(self, gateway: Gateway) -> list[Gateway]:
        """Gateways that may be handed messages of this one now."""
        if _is_alone(gateway):
            return []
        return [one for one in self._all if one.pk != gateway.pk and not _is_alone(one) and may_be_used(one)]

    def others(self, phone: str, without: Collection[int]) -> list[Gateway]:
        """Gateways that may stand in for another one, the best first, whether or not they may be used now."""
        fit = [one for one in self._all if one.pk not in without and one.enabled and serves(one, phone)]
        fit = [one for one in fit if not _is_alone(one)]
        return sorted(fit, key=lambda one: (one.priority, -_longest_prefix(one, phone), one.name))

    def instead(self, phone: str, wanted_id: int | None, here_id: int, without: Collection[int]) -> Gateway | None:
        """Where a message that cannot leave from `here` goes now: to the wanted gateway, else the next; None: nowhere.

        A message that was meant for a strict gateway waits for it. Raises nothing.
        """
        wanted = self._by_id.get(wanted_id) if wanted_id else self._default
        here = self._by_id.get(here_id)
        meant_for = wanted or here
        if (meant_for and not hands_on(meant_for)) or (here and _is_alone(here)):
            return None
        without = {here_id, *without}
        first = [wanted] if wanted and wanted.pk not in without and serves(wanted, phone) else []
        return next(filter(may_be_used, [*first, *self.others(phone, without)]), None)


def may_be_used(gateway: Gateway) -> bool:
    """Whether a message may be handed to it now."""
    found = health.of(gateway)
    return gateway.enabled and health.may_be_used(found) and pace.left_today(gateway, found) > 0


def hands_on(gateway: Gateway) -> bool:
    """Whether messages that were meant for it may go through another gateway."""
    return not gateway.strict and not _is_alone(gateway)


def serves(gateway: Gateway, phone: str) -> bool:
    """Whether the gateway's prefixes allow this E.164 phone; no prefixes allow any."""
    return not gateway.prefixes or phone.startswith(tuple(gateway.prefixes))


def _longest_prefix(gateway: Gateway, phone: str) -> int:
    return max((len(prefix) for prefix in gateway.prefixes if phone.startswith(prefix)), default=0)


def _is_alone(gateway: Gateway) -> bool:
    """The sandbox stands in for nobody; what cannot be loaded does not either."""
    try:
        provider = providers.load(gateway.provider)
    except Exception:  # noqa: BLE001 — a provider's file may fail in any way
        return True
    return provider.alone or bool(provider.code_placeholder)
