"""The providers' door, `/callbacks/<gateway>/<key>/`: receipts and inbound messages that they bring by themselves.

The key in the path is what lets a caller in, beside the signature of those that sign; `portal/logs.py` keeps it out
of the log. A gateway that is switched off still listens: its messages are on their way.
"""

import logging
import secrets

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from gateways.http import LARGEST_BODY, Callback, CallbackReply
from gateways.models import Gateway
from gateways.outcomes import BadCallback, InboundSms, Receipt
from messaging import inbound, receipts
from portal import counting

logger = logging.getLogger(__name__)

#: Nothing is told to whoever does not know the key, not even whether there is such a gateway.
UNKNOWN = CallbackReply(status=404)
TRY_AGAIN = CallbackReply("the portal cannot take this now; call again", 503)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(no_store=True)
def callback(request: HttpRequest, gateway_id: str, key: str) -> HttpResponse:
    """Takes a provider's call. While the database is away the answer is 503, so that the provider calls again."""
    gateway = None
    try:
        gateway = _admitted(int(gateway_id), key)
        reply = _take(gateway, request) if gateway else UNKNOWN
    except BadCallback as bad:
        reply = CallbackReply(bad.reason, bad.status)
    except (OperationalError, InterfaceError) as error:
        logger.error("a call for gateway %s was not taken (%s)", gateway_id, type(error).__name__)  # noqa: TRY400
        reply = TRY_AGAIN
    # A stranger who guesses makes no new lines.
    counting.add("callbacks", gateway=gateway.pk if gateway else "", result=_result(reply.status))
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)


def _result(status: int) -> str:
    return "taken" if status < 400 else "refused" if status < 500 else "put_off"


def _admitted(gateway_id: int, key: str) -> Gateway | None:
    """The gateway whose key this is. Where there is none, or its key cannot be decrypted, no key fits."""
    gateway = Gateway.objects.filter(pk=gateway_id).first()
    expected = gateway.callback_key if gateway else ""
    return gateway if secrets.compare_digest(expected.encode(), key.encode()) else None


def _take(gateway: Gateway, request: HttpRequest) -> CallbackReply:
    """Stores all that the call says, or nothing. HEAD only shows that somebody listens. Raises BadCallback."""
    if request.method == "HEAD":
        return CallbackReply()
    said, reply = _read(gateway, _as_callback(request))
    with transaction.atomic():
        receipts.record(gateway, [one for one in said if isinstance(one, Receipt)])
        inbound.store(gateway, [one for one in said if isinstance(one, InboundSms)])
    return reply


def _as_callback(request: HttpRequest) -> Callback:
    try:
        body = request.body
    except RequestDataTooBig:
        raise BadCallback("the body is too large", 413) from None
    except UnreadablePostError:
        raise BadCallback("the body broke off") from None
    if len(body) > LARGEST_BODY:
        raise BadCallback("the body is too large", 413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Callback(str(request.method), _address(request), headers, body)


def _address(request: HttpRequest) -> str:
    """The address that the provider called, which some sign: a proxy of ours may have made another one of it."""
    url = settings.PORTAL_URL + request.path_info if settings.PORTAL_URL else request.build_absolute_uri(request.path)
    query = request.META.get("QUERY_STRING", "")
    return f"{url}?{query}" if query else url


def _read(gateway: Gateway, call: Callback) -> tuple[list[Receipt | InboundSms], CallbackReply]:
    """What the provider's file makes of the call, and the reply once that is stored. Raises BadCallback."""
    try:
        provider = gateway.open()
    except Exception as error:  # noqa: BLE001 — its file or its settings may be gone, or fail in any way
        logger.warning("gateway %s: it cannot be opened to read a call (%s)", gateway.pk, type(error).__name__)
        raise BadCallback(TRY_AGAIN.body, TRY_AGAIN.status) from None
    try:
        said = provider.read_callback(call)
        return said, provider.callback_reply(call, said)
    except BadCallback as bad:
        logger.warning("gateway %s: a call was refused: %s", gateway.pk, bad.reason)
        raise
    except Exception as error:  # noqa: BLE001 — a provider's file may stumble over a call in any way
        logger.warning("gateway %s: a call could not be read (%s)", gateway.pk, type(error).__name__)
        raise BadCallback("the call could not be read") from None
