"""Which gateway for this phone now: the one that was asked for, else the next by priority and longest prefix.

A gateway may be used when it is switched on, its breaker lets messages pass, its credentials are not refused, its
daily limit is not reached and its prefixes allow the phone.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, reduce
from operator import or_

from django.db.models import Q
from django.utils.translation import gettext as _

from gateways import health, pace, providers
from gateways.models import Gateway, GatewayHealth
from portal import permissions, versions
from portal.errors import Refusal, Why
from portal.models import User
from portal.rows import copied
from portal.versions import Kept

#: By name; under None the default one.
_kept: Kept[str | None, Gateway] = Kept()
#: No gateway has a longer name or sender.
LONGEST_SENDER = 100
#: By sender, those that are switched on.
_senders: Kept[str, Sequence[Gateway]] = Kept()


def named(name: str, asked_by: User | None = None) -> Gateway:
    """The gateway with this name. Raises Refusal where there is none, or where it is switched off.

    For a key that is for other gateways it does not exist.
    """
    gateway = _found(name)
    if gateway is None or not permissions.may_use_gateway(asked_by, gateway.pk):
        sentence = _("There is no gateway “%(name)s”.") % {"name": name}
        raise Refusal(sentence, field="gateway", why=Why.NOT_FOUND)
    return _switched_on(gateway)


def sending_as(sender: str, asked_by: User | None = None) -> Gateway | None:
    """The gateway that has this name, else one whose messages come from this sender; None where none has.

    For a key that is for other gateways those do not exist.
    """
    fit = [one for one in _all_sending_as(sender) if permissions.may_use_gateway(asked_by, one.pk)]
    best = min(fit, key=lambda one: (one.name != sender, not one.is_default, one.priority, one.name), default=None)
    return best and copied(best)


def _all_sending_as(sender: str) -> Sequence[Gateway]:
    """As they are now; kept in memory until any gateway changes."""
    if len(sender) > LONGEST_SENDER:
        # Whatever a program writes there is kept in memory, and that must not be a mebibyte each.
        return ()
    gateways = _senders.get(sender)
    if gateways is None:
        version = versions.now()
        gateways = list(Gateway.objects.filter(Q(name=sender) | Q(sender=sender), enabled=True))
        _senders.put(sender, version, gateways)
    return gateways


def default() -> Gateway:
    """The default gateway. Raises Refusal where there is none, or where it is switched off."""
    gateway = _found(None)
    if gateway is None:
        raise Refusal(_("There is no default gateway: name one, or make one the default."), field="gateway")
    return _switched_on(gateway)


def _found(name: str | None) -> Gateway | None:
    """The gateway with its health, as they are now; kept in memory until either changes."""
    gateway = _kept.get(name)
    if gateway is None:
        version = versions.now()
        wanted = Q(is_default=True) if name is None else Q(name=name)
        gateway = Gateway.objects.select_related("health").filter(wanted).first()
        if gateway is None:
            return None
        _kept.put(name, version, gateway)
    copy = copied(gateway)
    # How many messages went today changes with each of them: where it matters, it is read when it is asked for.
    if gateway.daily_limit is None:
        found: GatewayHealth | None = gateway._state.fields_cache["health"]
        copy._state.fields_cache["health"] = found and copied(found)
    return copy


def _switched_on(gateway: Gateway) -> Gateway:
    if not gateway.enabled:
        raise Refusal(_("Gateway “%(name)s” is switched off.") % {"name": gateway.name}, field="gateway")
    return gateway


def choose(
    phone: str,
    first: Gateway,
    *,
    strict: bool = False,
    survey: "Callable[[], Survey] | None" = None,
    later: bool = False,
) -> Gateway:
    """The gateway for a new message to this phone: `first`, or with failover the next that may be used now.

    Where none may be used now, the one it waits for; `later`: it waits anyway, and what ails a gateway now is no
    matter. `survey` gives one that was made already. Raises Refusal where no gateway's prefixes allow the phone.
    """
    if serves(first, phone) and (later or may_be_used(first)):
        return first
    others = [] if strict or not hands_on(first) else (survey or Survey)().others(phone, without={first.pk})
    allowed = [first, *others] if serves(first, phone) else others
    if not allowed:
        sentence = _("Gateway “%(name)s” may not send to this phone: its prefixes leave it out.")
        raise Refusal(sentence % {"name": first.name}, field="gateway")
    return next(filter(may_be_used, allowed), allowed[0])


def chooser(first: Gateway, *, later: bool = False) -> Callable[[str], Gateway]:
    """The same as `choose` for many phones, with the gateways as they are now."""
    survey = cache(Survey)
    usable = later or may_be_used(first)

    def chosen(phone: str) -> Gateway:
        return first if usable and serves(first, phone) else choose(phone, first, survey=survey, later=later)

    return chosen


def at_once(phone: str, *, without: Collection[int] = ()) -> Gateway | None:
    """For what is of no use later: the default gateway, else the next that may be used now; None where none may.

    Where the default one makes codes, others may stand in for it here. `without` are taken where no other may be used.
    """
    ways = Survey().at_once(phone)
    return min(ways, key=lambda one: one.pk in without, default=None)


class Survey:
    """The gateways as they are at one moment, for decisions about many messages."""

    def __init__(self) -> None:
        everyone = list(Gateway.objects.select_related("health"))
        #: Those that take part in failover.
        self.sociable = [gateway for gateway in everyone if not _is_alone(gateway)]
        self._by_id = {gateway.pk: gateway for gateway in self.sociable}
        self._default = next((gateway for gateway in self.sociable if gateway.is_default), None)
        self._default_of_all = next((gateway for gateway in everyone if gateway.is_default), None)
        self._enabled = [gateway for gateway in self.sociable if gateway.enabled]
        self._usable = [gateway for gateway in self._enabled if may_be_used(gateway)]

    def others(self, phone: str, without: Collection[int]) -> list[Gateway]:
        """Gateways that may stand in for another one, the best first, whether or not they may be used now."""
        return _ranked(self._enabled, phone, without)

    def at_once(self, phone: str) -> list[Gateway]:
        """Where a new message may be handed over now, the best first: the default gateway, then others."""
        first = self._default_of_all
        if first is None:
            return _ranked(self._usable, phone, ())
        others = _ranked(self._usable, phone, {first.pk}) if _may_be_stood_in_for(first) else []
        return [first, *others] if serves(first, phone) and may_be_used(first) else others

    def instead(
        self, phone: str, wanted_id: int | None, here_id: int, without: Collection[int], *, now: bool = True
    ) -> list[Gateway]:
        """Where a message that cannot leave from `here` may go, the best first: the wanted gateway, then others.

        `now`: only where it could be handed over at once. A message that was meant for a strict gateway goes to no
        other one. Raises nothing.
        """
        here = self._by_id.get(here_id)
        if here is None:
            return []
        wanted = self._by_id.get(wanted_id) if wanted_id else self._default
        fit = _ranked(self._usable if now else self._enabled, phone, {here_id, *without})
        first = [one for one in fit if one == wanted]
        return first if (wanted or here).strict else first + [one for one in fit if one != wanted]

    def usable_besides(self, here: Gateway) -> list[Gateway]:
        """All gateways to which something that cannot leave from `here` may go now."""
        return [one for one in self._usable if one != here]


def _ranked(gateways: Iterable[Gateway], phone: str, without: Collection[int]) -> list[Gateway]:
    """Those that serve this phone: by priority, then by the longest prefix."""
    fit = [one for one in gateways if one.pk not in without and serves(one, phone)]
    return sorted(fit, key=lambda one: (one.priority, -_longest_prefix(one, phone), one.name))


def may_be_used(gateway: Gateway) -> bool:
    """Whether a message may be handed to it now."""
    found = health.of(gateway)
    return gateway.enabled and health.may_be_used(found) and pace.left_today(gateway, found) > 0


def hands_on(gateway: Gateway) -> bool:
    """Whether messages that were meant for it may go through another gateway."""
    return not gateway.strict and not _is_alone(gateway)


def _may_be_stood_in_for(gateway: Gateway) -> bool:
    """The same for a message whose text is not written yet: it need not be for a provider that makes codes."""
    return hands_on(gateway) or (bool(placeholder(gateway)) and not gateway.strict)


def placeholder(gateway: Gateway) -> str:
    """What stands for the code that its provider makes; asked of the class, because every message asks."""
    provider = providers.find(gateway.provider)
    return provider.code_placeholder if provider else ""


def serves(gateway: Gateway, phone: str) -> bool:
    """Whether the gateway's prefixes allow this E.164 phone; no prefixes allow any."""
    return not gateway.prefixes or phone.startswith(tuple(gateway.prefixes))


def served(gateway: Gateway) -> Q:
    """The same as a condition on rows that have a phone; for a gateway that has prefixes."""
    return reduce(or_, (Q(phone__startswith=prefix) for prefix in gateway.prefixes))


def _longest_prefix(gateway: Gateway, phone: str) -> int:
    return max((len(prefix) for prefix in gateway.prefixes if phone.startswith(prefix)), default=0)


def _is_alone(gateway: Gateway) -> bool:
    """The sandbox stands in for nobody; what cannot be loaded does not either."""
    provider = providers.find(gateway.provider)
    return provider is None or provider.alone or bool(provider.code_placeholder)
