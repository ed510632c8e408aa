"""Where passkeys work.

A passkey belongs to one host name. Which names are ours, PORTAL_URL and ALLOWED_HOSTS say; a request only chooses among
them. An IP address is no such name, nor is plain HTTP a safe place, but on the reader's own machine `localhost` is.
"""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

LOCALHOST = "localhost"


def origins() -> dict[str, str]:
    """Host names at which passkeys work, each with the origin that the browser must name."""
    found = {name: _origin(name) for name in settings.ALLOWED_HOSTS if _can_hold_passkeys(name)}
    address = urlsplit(settings.PORTAL_URL)
    name = (address.hostname or "").lower()
    # Without a path and a standard port, as browsers write it.
    port = "" if address.port in {None, 443 if address.scheme == "https" else 80} else f":{address.port}"
    if _can_hold_passkeys(name):
        found[name] = f"{address.scheme}://{name}{port}"
    return {host: origin for host, origin in found.items() if host == LOCALHOST or origin.startswith("https://")}


def _can_hold_passkeys(name: str) -> bool:
    """Whether it is one full host name: no pattern and no address."""
    if not name or name.startswith((".", "*", "[")):
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False


def _origin(name: str) -> str:
    if settings.HTTPS:
        return f"https://{name.lower()}"
    return f"http://{name.lower()}:{settings.PORT}"


def relying_party(request: HttpRequest) -> str:
    """The name to which a passkey of this page belongs; empty where passkeys do not work."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    return host.lower() if host.lower() in origins() else ""


def portal_name(**_of_request: Any) -> str:
    """What the browser calls the portal."""
    return _("Guest SMS Portal")


def remedy(request: HttpRequest) -> str:
    """Why passkeys do not work on this page, and where they do; empty where they work."""
    if relying_party(request):
        return ""
    places = [f"{origin}/admin/" for origin in origins().values()]
    if not places:
        return _(
            "Passkeys need a host name and HTTPS: give the portal's address in PORTAL_URL, such as "
            "https://sms.example.org."
        )
    sentence = _("Passkeys belong to a host name, and this page was opened under another or by an IP address. Open %s.")
    return sentence % places[0]
