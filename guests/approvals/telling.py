"""Telling guests by SMS what became of their request: the page may be closed by then."""

from collections.abc import Callable

from django.db import transaction
from django.utils import translation

from guests.models import Registration
from messaging import sending
from messaging.models import Door
from messaging.retries import Kind
from portal.errors import Refusal


def tell(registration: Registration, sentence: Callable[[], str]) -> None:
    """Sends it in the guest's language. Where nothing can be sent, the page says it all the same."""
    try:
        with translation.override(registration.language), transaction.atomic():
            sending.send(
                phone=registration.phone,
                text=sentence(),
                kind=Kind.INFORMATION,
                gateway_name="",
                requested_by=None,
                door=Door.GUESTS,
            )
    except Refusal:
        return
