"""Sends, the base of every call that sends: what becomes of each SMS, which is told by itself.

Source: the SMSGate platform's APIs, «Отправка SMS».
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

from messaging import sending
from messaging.dropin.door import Fault, still_to_come
from messaging.dropin.targetsms import documents, words
from messaging.dropin.targetsms.asked import Asked, Terms, Written, asked_of
from messaging.dropin.targetsms.view import TargetSmsView
from messaging.models import Batch, Door, Message, State
from messaging.retries import Kind
from messaging.sending import Faulty, Item, Known
from portal.api.commit import Done
from portal.errors import Refusal

#: How many lots of SMS with the same terms one call may have: each is a batch.
MOST_LOTS = 100
#: What the platform calls a batch that has no name.
USUAL_TITLE = "Шлюз"
DOOR = Door.TARGETSMS

#: What became of one SMS: an accepted message, or why there is none.
Fate = Message | str
#: The SMS that are sent together, by their place in the call.
Lot = dict[int, Known]
Same = tuple[str, str, str]


class Sends(TargetSmsView):
    """A call that may send."""

    def written(self) -> Sequence[Written]:
        """The SMS of the call, as they are written there. Raises Malformed."""
        raise NotImplementedError

    @cached_property
    def asked(self) -> list[Asked]:
        """The same, looked at. Raises Malformed and Told."""
        return asked_of(self.written())

    @property
    def body(self) -> dict[str, Any]:
        return {"sms": len(self.asked), "phones": [one.phone for one in self.asked]}

    def fates(self) -> list[Fate]:
        """Accepts what can be accepted; what became of each. Raises Malformed, Told, and what `once` does."""
        asked = self.asked
        # Nothing is locked yet while thousands of texts are looked at.
        known = sending.look_at([Item(one.phone, one.text, one.name) for one in asked])
        return list(self.once(partial(self._accept, known))["fates"])

    def _accept(self, looked_at: Sequence[Known | Faulty]) -> Done:
        fates: dict[int, Fate] = {}
        good: Lot = {}
        for place, (one, found) in enumerate(zip(self.asked, looked_at, strict=True)):
            if one.error or isinstance(found, Faulty):
                fates[place] = one.error or words.OF_FIELD.get(getattr(found, "field", ""), words.CLOSED)
            else:
                good[place] = found
        first_of = self._first_of_the_same(good, fates)
        lots: dict[Terms, Lot] = defaultdict(dict)
        for place, known in good.items():
            if place not in fates and first_of.get(_same(known), place) == place:
                lots[self.asked[place].terms][place] = known
        if len(lots) > MOST_LOTS:
            raise documents.Told(words.TOO_MANY_TERMS.format(most=MOST_LOTS))
        for terms, lot in lots.items():
            fates |= self._send(terms, lot)
        fates |= {place: fates[first_of[_same(known)]] for place, known in good.items() if place not in fates}
        return self._done([fates[place] for place in range(len(self.asked))])

    def _first_of_the_same(self, good: Lot, fates: dict[int, Fate]) -> dict[Same, int]:
        """The place of the first of those that are the same; those whose name was used before get their fate now."""
        named = {place: known for place, known in good.items() if known.reference}
        before = sending.sent_as({known.reference for known in named.values()}, by=self.caller, door=DOOR)
        fates |= {
            place: _earlier(before[known.reference], known)
            for place, known in named.items()
            if known.reference in before
        }
        return {_same(known): place for place, known in reversed(named.items())}

    def _send(self, terms: Terms, lot: Lot) -> dict[int, Fate]:
        """What became of those that have the same terms: one alone, and without a title, is a message by itself."""
        common: dict[str, Any] = {
            "kind": Kind.INFORMATION,
            "gateway_name": self.gateway_called("", terms.sender),
            "requested_by": self.caller,
            "due_at": still_to_come(terms.due_at),
            "no_later": terms.no_later,
            "door": DOOR,
        }
        try:
            if len(lot) == 1 and not terms.title:
                ((place, one),) = lot.items()
                name = one.reference
                return {place: sending.send(phone=one.phone, text=one.text, caller_reference=name, **common)}
            batch = sending.send_many(list(lot.values()), name=terms.title or USUAL_TITLE, **common)
        except Refusal as refusal:
            # Phones and texts are good by now: a text that is refused here is one for a gateway that makes codes.
            return dict.fromkeys(lot, words.TOO_LATE if refusal.field == "schedule" else words.CLOSED)
        return _fates_in(batch, lot)

    def _done(self, fates: Sequence[Fate]) -> Done:
        accepted = [fate for fate in fates if isinstance(fate, Message)]
        if not accepted:
            self.fault = Fault(422, str(fates[0]))
        batches = {fate.batch_id for fate in accepted if fate.batch_id}
        named = [f"batch {key}" for key in sorted(batches)] or [str(fate.pk) for fate in accepted[:1]]
        return Done({"fates": fates}, object_id=", ".join(named))


def _same(known: Known) -> Same:
    """What is the same in two SMS of one call of which one is a repeat.

    The vendor's own plugin numbers the phones of each message anew: what goes to others has the same number there.
    """
    return known.reference, known.phone, known.text


def _earlier(sent: Sequence[Message], known: Known) -> Message:
    """Of several under one name the one to the same phone, else the first."""
    return next((one for one in sent if one.phone == known.phone), sent[0])


def _fates_in(batch: Batch, lot: Lot) -> dict[int, Fate]:
    """By the place of each; the messages of a batch are stored in its order, those of the same phone at least."""
    places = list(lot)
    fates: dict[int, Fate] = {places[one["place"] - 1]: words.CLOSED for one in batch.refused}
    stored: dict[tuple[str, str], deque[Message]] = defaultdict(deque)
    for message in Message.objects.filter(batch=batch).defer("text").order_by("pk"):
        stored[message.phone, message.caller_reference or ""].append(message)
    accepted = {place: known for place, known in lot.items() if place not in fates}
    return fates | {place: stored[one.phone, one.reference].popleft() for place, one in accepted.items()}


def outcome(fate: Fate) -> tuple[Message | None, str]:
    """The message that goes out, and the word for that; else none, and why."""
    if isinstance(fate, str):
        return None, fate
    return (None, words.STOPPED) if fate.state == State.SUPPRESSED else (fate, words.SEND)
