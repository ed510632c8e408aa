"""What the front page says of messages. Each figure leads to the list of messages that it counts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from messaging import charts, tallies
from messaging.figures import ENDED, Bill, Figures, Period
from messaging.models import Message, State, Stop, Webhook
from messaging.webhooks import Standing, standing_of
from portal.admin.dashboard import Cell, Concern, Figure, Grid, Panel, Step
from portal.admin.display import NOTHING, moment
from portal.permissions import SENDING, Right, may

#: Where a request keeps its figures, so that all panels read them once and agree.
KEPT = "_message_figures"
#: What is due and was not taken for so long is stuck.
STUCK_AFTER = timedelta(minutes=10)
#: How an address asks for what nobody has sent again.
AGAIN, NO = "again", "no"

#: What needs a person about a webhook; one that a person paused or switched off needs nobody.
UNTOLD = {
    Standing.GONE: gettext_lazy("The webhook “%(name)s” answered 410 Gone and is switched off."),
    Standing.PAUSED: gettext_lazy(
        "The webhook “%(name)s” is paused after three days of nothing but failures: %(reason)s. What happens is kept "
        "for it for five days."
    ),
    Standing.FAILING: gettext_lazy("The webhook “%(name)s” has failed since %(since)s: %(reason)s"),
}


def _figures(request: HttpRequest) -> Figures:
    found: Figures = request.__dict__.setdefault(KEPT, Figures())
    return found


def _may_read(request: HttpRequest) -> bool:
    return may(request.user, Right.MESSAGES_READ)


def listed(**asks: str | int | datetime) -> str:
    """The list of messages that such a question counts."""
    texts = {name: value.isoformat(sep=" ") if isinstance(value, datetime) else value for name, value in asks.items()}
    return f"{reverse('admin:messaging_message_changelist')}?{urlencode(texts)}"


def among(*states: State) -> str:
    """One of these states, as an address asks for it."""
    return ",".join(states)


def day(request: HttpRequest) -> Panel | None:
    """The last 24 hours, by the hour."""
    if not _may_read(request):
        return None
    figures = _figures(request)
    title = _("Messages of the last 24 hours")
    note = _("Since %(moment)s, by the hour in which they were accepted.") % {"moment": moment(figures.day.start)}
    drawn = charts.by_hour(figures, listed)
    return Panel("day", title, note, _of_period(figures.day), drawn)


def month(request: HttpRequest) -> Panel | None:
    """The last 30 days, by the day."""
    if not _may_read(request):
        return None
    figures = _figures(request)
    note = _("Since %(moment)s, by the day on which they were accepted.") % {"moment": moment(figures.month.start)}
    if not figures.history_is_whole:
        note = _("Older messages are still being counted: the figures of the last 30 days are not whole yet.")
    drawn = charts.by_day(figures, listed)
    return Panel("month", _("Messages of the last 30 days"), note, _of_period(figures.month), drawn)


def _of_period(period: Period) -> list[Figure]:
    ended, delivered = period.messages(*ENDED), period.messages(State.DELIVERED)
    to_delivered = listed(created__gte=period.start, state__exact=State.DELIVERED)
    share = period.delivered_share
    percent = NOTHING if share is None else f"{rounded(100 * share, 1)} %"
    return [
        Figure(_("Accepted"), period.messages(), listed(created__gte=period.start)),
        Figure(_("Delivered"), delivered, to_delivered),
        Figure(_("At an end"), ended, listed(created__gte=period.start, state__in=among(*ENDED))),
        Figure(_("Share delivered"), percent, to_delivered, _("of those at an end")),
        Figure(_("Median time to delivery"), duration(period.time_to_delivery(0.5)), to_delivered),
        Figure(_("Time within which 95 of 100 are delivered"), duration(period.time_to_delivery(0.95)), to_delivered),
    ]


def duration(seconds: float | None) -> str:
    """As short as people say it."""
    if seconds is None:
        return NOTHING
    if seconds < 99.5:
        return _("%(number)s s") % {"number": rounded(seconds, 1 if seconds < 9.95 else 0)}
    if seconds < 99.5 * 60:
        return _("%(number)s min") % {"number": rounded(seconds / 60, 0)}
    return _("%(number)s h") % {"number": rounded(seconds / 3600, 0)}


def rounded(number: float | Decimal, digits: int) -> str:
    """As its reader writes it; what Django formats it only cuts off."""
    return formats.number_format(round(Decimal(number), digits), digits, force_grouping=True)


def queues(request: HttpRequest) -> Panel | None:
    """What waits at each gateway, and for how long."""
    if not _may_read(request):
        return None
    figures = _figures(request)
    rows = [_queue(figures, gateway, name) for gateway, name in figures.gateways.items()]
    headers = [_("Gateway"), _("Waiting"), _("Longest due for")]
    unclear = [
        Figure(
            _("Unclear, for a person"),
            figures.undecided,
            undecided(figures),
            _("of the last 24 hours, not sent again"),
            alarming=figures.undecided > 0,
        ),
        Figure(_("Unclear, altogether"), figures.unresolved, listed(state__exact=State.UNRESOLVED)),
    ]  # fmt: skip
    return Panel("queues", _("Waiting and unclear"), figures=unclear, grids=[Grid(_("Queues"), headers, rows)])


def undecided(figures: Figures) -> str:
    """The list of unclear outcomes that a person can still do something about."""
    return listed(created__gte=figures.day.start, state__exact=State.UNRESOLVED, **{AGAIN: NO})


def waiting_at(gateway: int) -> str:
    """The list of what waits at this gateway."""
    return listed(gateway__id__exact=gateway, due_at__isnull="False")


def _queue(figures: Figures, gateway: int, name: str) -> list[Cell]:
    found, link = figures.queues.get(gateway), waiting_at(gateway)
    if found is None:
        return [Cell(name), Cell(0, link), Cell(NOTHING)]
    age = figures.now - found.oldest_due if found.oldest_due else None
    shown = duration(age.total_seconds()) if age else NOTHING
    return [Cell(name), Cell(found.depth, link), Cell(shown, link, alarming=age is not None and age >= STUCK_AFTER)]


def costs(request: HttpRequest) -> Panel | None:
    """Segments and costs since the first of the month."""
    if not _may_read(request):
        return None
    figures = _figures(request)
    headers = [_("Gateway"), _("Messages"), _("Segments"), _("Cost")]
    rows = [_billed(figures, bill) for bill in figures.bills]
    note = _("Of messages that a provider took, since %(moment)s. A segment costs what the gateway's price was then.")
    note %= {"moment": moment(figures.this_month.start)}
    return Panel("costs", _("This month"), note, grids=[Grid(_("This month"), headers, rows)])


def _billed(figures: Figures, bill: Bill) -> list[Cell]:
    since = figures.this_month.start
    link = listed(created__gte=since, gateway__id__exact=bill.gateway, state__in=among(*tallies.TAKEN))
    sums = [
        f"{formats.number_format(round(cost, 2), 2, force_grouping=True)} {currency}"
        for currency, cost in bill.costs.items()
    ]
    if bill.unpriced:
        sentence = ngettext("%d segment without a price", "%d segments without a price", bill.unpriced)
        sums.append(sentence % bill.unpriced)
    name = figures.gateways[bill.gateway]
    return [Cell(name), Cell(bill.messages, link), Cell(bill.segments, link), Cell(" · ".join(sums), link)]


def concerns(request: HttpRequest) -> Iterator[Concern]:
    """Unclear outcomes, and queues that stand still."""
    if not _may_read(request):
        return
    figures = _figures(request)
    if count := figures.undecided:
        sentence = ngettext(
            "%d message may or may not have been sent: a person decides.",
            "%d messages may or may not have been sent: a person decides.",
            count,
        )
        yield Concern(sentence % count, undecided(figures), _("See them"))
    for queue in figures.queues.values():
        if queue.oldest_due and figures.now - queue.oldest_due >= STUCK_AFTER:
            yield _stuck(figures, queue.gateway, figures.now - queue.oldest_due)


def _stuck(figures: Figures, gateway: int, age: timedelta) -> Concern:
    sentence = _("Messages at gateway “%(name)s” have been due for %(time)s and do not leave.")
    told = {"name": figures.gateways.get(gateway, ""), "time": duration(age.total_seconds())}
    return Concern(sentence % told, waiting_at(gateway), _("See them"))


def webhooks(request: HttpRequest) -> Iterator[Concern]:
    """Other systems that are told nothing any more, or just now."""
    if not may(request.user, Right.SYSTEM_READ):
        return
    fails = Q(paused_because__in=(Stop.FAILING, Stop.GONE)) | Q(failing_since__isnull=False)
    for webhook in Webhook.objects.filter(fails).exclude(paused_because=Stop.PERSON):
        sentence = UNTOLD.get(standing_of(webhook))
        if sentence:
            told = {"name": webhook.name, "reason": webhook.last_failure, "since": moment(webhook.failing_since)}
            link = reverse("admin:messaging_webhook_change", args=(webhook.pk,))
            grave = standing_of(webhook) is not Standing.FAILING
            yield Concern(str(sentence) % told, link, _("See the webhook"), grave=grave)


def first_test(request: HttpRequest) -> Step | None:
    """Until a message was accepted."""
    if not may(request.user, *SENDING):
        return None
    why = _("On the page of a gateway, by its button.")
    return Step(_("Send a test"), why, reverse("admin:gateways_gateway_changelist"), Message.objects.exists())
