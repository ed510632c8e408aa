"""The answer to a captcha, and the one function that judges it."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from guests.captcha import pictures, proofs
from guests.captcha.verdicts import Verdict
from portal.errors import Refusal

SENTENCES: dict[Verdict, str | Promise] = {
    Verdict.MISSING: _("Copy the digits in the picture."),
    Verdict.WRONG: _("These are not the digits in the picture. Here is a new one."),
    Verdict.FAILED: _("We could not tell that you are no robot. Please try once more."),
    Verdict.OVER: _("The page was open for too long. Please try once more."),
    Verdict.USED: _("This answer was used already. Please try once more."),
}


class Answer(NamedTuple):
    """What a browser sends: the solution of a challenge, or the key of a picture and what was read in it."""

    proof: str = ""
    picture: str = ""
    typed: str = ""

    def __bool__(self) -> bool:
        return bool(self.proof or self.typed.strip())


class Unproven(Refusal):
    """Whoever asks may be a robot. `verdict` says in which way."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(SENTENCES[verdict], field="captcha")
        self.verdict = verdict


def check(answer: Answer) -> None:
    """Takes a right answer, once. Raises Unproven for any other; in either case it is worth nothing afterwards."""
    verdict = _judge(answer)
    if verdict is not Verdict.RIGHT:
        raise Unproven(verdict)


def _judge(answer: Answer) -> Verdict:
    if not answer:
        return Verdict.MISSING
    return proofs.judge(answer.proof) if answer.proof else pictures.judge(answer.picture, answer.typed)
