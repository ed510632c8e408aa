"""What a person has beside the browser: a provider, and a telephone that shows one-time codes."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django_otp.oath import totp

from tests.simulators.server import Simulator

#: The simulators are on this machine, where an ordinary portal calls nobody.
MAY_CALL_SIMULATORS = {"GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8"}


@contextmanager
def targetsms() -> Iterator[tuple[Simulator, dict[str, Any]]]:
    """TargetSMS, simulated, and the settings of an account there."""
    with Simulator("smsgate") as simulator:
        yield simulator, simulator.peers["smsgate"].settings()


def code_now(secret: str) -> str:
    """What the app shows that was given this secret, written in base 32 as on the page that enrols it."""
    padded = secret.replace(" ", "").upper()
    return f"{totp(base64.b32decode(padded + '=' * (-len(padded) % 8))):06}"
