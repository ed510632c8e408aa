"""Who was promised what on board: every message that was ever accepted there, each with a phone of its own."""

from collections.abc import Sequence

from tests.services.fire.crew import Crew
from tests.services.fire.judging import Verdict
from tests.services.fire.posting import Posting
from tests.services.fire.providers import KINDS


class Ledger:
    """Begins with one message through each gateway, so that none is on trial any more."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.answered: dict[str, int] = {}
        self._next = 0
        self.close(self.post(len(KINDS)))

    def post(self, messages: int, *, rate: float = 1000.0, kinds: Sequence[str] = KINDS) -> Posting:
        """So many messages more, on their way."""
        posting = Posting(self.crew.portal, messages, self._next, rate, kinds)
        self._next += messages
        posting.start()
        return posting

    def close(self, *postings: Posting) -> Verdict:
        """Waits for the end of every message, and compares the books."""
        for posting in postings:
            self.crew.wait_for(posting.is_over, "every message is accepted")
            self.answered |= posting.answered
        self.crew.calm_down()
        return self.crew.judge(self.answered)
