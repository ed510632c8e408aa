"""Our book against the provider's, message by message: what was promised, and every complaint where it was not kept.

Pure functions. A message is known by its phone, because each has one of its own.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

#: States in which the portal says that the provider has the message.
SENT = frozenset({"submitted", "delivered", "undelivered", "expired", "no_receipt"})
#: States in which it says that nobody will ever get it.
NEVER = frozenset({"failed", "cancelled", "lapsed", "suppressed"})
#: States in which it says that it does not know.
UNCLEAR = frozenset({"unresolved", "unknown"})
#: How often a message may be risked a second time where nothing can clear up an unclear attempt.
RISKED = {"information": 0, "credentials": 1, "code": 1}
#: The one gateway at which an unclear attempt cannot be cleared up.
NEITHER = "neither"


@dataclass(frozen=True)
class Ours:
    """A message as the portal's own book has it."""

    number: int
    phone: str
    gateway: str
    kind: str = "information"
    state: str = "no_receipt"
    attempts: int = 1
    unclear: int = 0


@dataclass(frozen=True)
class Theirs:
    """One time a message was handed to a provider, as the provider's book has it."""

    phone: str
    taken: bool = True


@dataclass
class Figures:
    """What is counted of the messages of one gateway, or of all."""

    accepted: int = 0
    sent: int = 0
    extra: int = 0
    lost: int = 0
    unclear: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __str__(self) -> str:
        return ", ".join(f"{one.name} {getattr(self, one.name)}" for one in fields(self))


@dataclass(frozen=True)
class Verdict:
    """The figures of each gateway, and what is wrong; nothing is where the guarantee was kept."""

    figures: Mapping[str, Figures]
    complaints: Sequence[str]
    unaccounted: int

    @property
    def all(self) -> Figures:
        """Those of all gateways together."""
        return sum(self.figures.values(), Figures())

    @property
    def each(self) -> str:
        """Those of each gateway, in words."""
        return "; ".join(f"{gateway}: {figures}" for gateway, figures in sorted(self.figures.items()))

    def __str__(self) -> str:
        return f"{self.all}, unaccounted {self.unaccounted} ({self.each})"


def judge(answered: Mapping[str, int], ours: Sequence[Ours], theirs: Sequence[Theirs]) -> Verdict:
    """`answered` has the phone of every message that the portal said it accepted, and the number it gave it."""
    handed = Counter(one.phone for one in theirs)
    taken = Counter(one.phone for one in theirs if one.taken)
    figures: dict[str, Figures] = {}
    complaints: list[str] = []
    for message in ours:
        copies = taken[message.phone]
        found = figures.setdefault(message.gateway, Figures())
        found.accepted += 1
        found.sent += bool(copies)
        found.extra += max(0, copies - 1)
        found.unclear += message.state in UNCLEAR
        wrong = [*_lost(message, copies), *_untrue(message, copies, handed[message.phone])]
        found.lost += any(_lost(message, copies))
        complaints += [f"message {message.number} to {message.phone} at {message.gateway}: {one}" for one in wrong]
    missing = list(_missing(answered, {message.phone: message.number for message in ours}))
    strangers = list(_strangers(answered, ours, taken))
    if missing:
        figures.setdefault("nowhere", Figures()).lost += len(missing)
    return Verdict(figures, [*complaints, *missing, *strangers], len(strangers))


def _lost(message: Ours, copies: int) -> Iterator[str]:
    """Why this message is lost without a word, if it is: accepted, and nobody says what is true of it."""
    if message.state in SENT and not copies:
        yield f"lost: it is said to be {message.state}, and the provider never took it"
    elif message.state in NEVER and not copies:
        yield f"lost: it was given up ({message.state})"
    elif message.state not in SENT | NEVER | UNCLEAR:
        yield f"lost: it has come to no end ({message.state})"


def _untrue(message: Ours, copies: int, handed: int) -> Iterator[str]:
    """What of this message is not as it was promised."""
    if message.state in NEVER and copies:
        yield f"a lie: it is said to be {message.state}, and the provider took it"
    allowed = min(message.unclear, RISKED[message.kind]) if message.gateway == NEITHER else 0
    if copies > 1 + allowed:
        yield f"extra: taken {copies} times, and {1 + allowed} are allowed"
    if handed > message.attempts:
        yield f"it was handed over {handed} times, and {message.attempts} are on record"


def _missing(answered: Mapping[str, int], numbers: Mapping[str, int]) -> Iterator[str]:
    for phone, number in answered.items():
        if numbers.get(phone) != number:
            yield f"message {number} to {phone} was accepted and is not in our book"


def _strangers(answered: Mapping[str, int], ours: Collection[Ours], taken: Counter[str]) -> Iterator[str]:
    """What nobody can account for: sent although nobody asked for it, or accepted twice for one request."""
    phones = Counter(message.phone for message in ours)
    for phone, count in phones.items():
        if count > 1:
            yield f"one request for {phone} made {count} messages"
        if phone not in answered:
            yield f"a message to {phone} was accepted, and whoever asked for it was never told"
    for phone in taken.keys() - phones.keys():
        yield f"the provider took something for {phone}, of which we know nothing"
