"""The hosts to which guests may be sent: the administrator's list, and whether an address is on it."""

import re
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from guests.captive import reading
from portal.errors import Refusal

FIELD = "redirect_hosts"
#: All of them stand in the policy of a page, and proxies bear no endless headers.
MOST = 30


def parse_hosts(text: str) -> list[str]:
    """The list as somebody wrote it: a host a line, or with commas between. Raises Refusal."""
    entries = list(dict.fromkeys(_entry(word) for word in re.split(r"[\s,;]+", text) if word))
    if len(entries) > MOST:
        raise Refusal(_("Name at most %(most)s hosts.") % {"most": MOST}, field=FIELD)
    return entries


def allowed(url: str, hosts: Iterable[str]) -> bool:
    """Whether a guest may be sent to this address. An entry without a port means the usual one of http or https."""
    address = reading.web_address(url)
    return address is not None and any(_covers(entry, address) for entry in hosts)


def form_targets(hosts: Sequence[str]) -> list[str]:
    """The same list for `headers.may_post_to`. `http://` covers `https://` too, except at a port of its own.

    Chromium holds a page's policy against every redirect that follows a form, the network's own to its start page
    included: whoever shows the form names all of these.
    """
    return [f"{scheme}://{entry}" for entry in hosts for scheme in (("http", "https") if ":" in entry else ("http",))]


def _covers(entry: str, address: reading.WebAddress) -> bool:
    name, _colon, port = entry.partition(":")
    if address.port != (int(port) if port else reading.PORTS[address.scheme]):
        return False
    return address.host.endswith(name[1:]) if name.startswith("*.") else address.host == name


def _entry(word: str) -> str:
    """One entry as it is kept: in lower case, in ASCII, with its port if it has one."""
    name, colon, port = word.lower().partition(":")
    star = "*." if name.startswith("*.") else ""
    host = _in_ascii(name.removeprefix("*."))
    if not reading.is_host(host) or (colon and not _is_port(port)):
        sentence = _(
            "“%(entry)s” is no host. Write example.org, *.example.org or 10.0.0.1:3990, without http:// and path."
        )
        raise Refusal(sentence % {"entry": word[:80]}, field=FIELD)
    if star and ("." not in host or reading.is_ipv4(host)):
        sentence = _("“%(entry)s” covers too much. After *. write a name with a point in it, such as *.example.org.")
        raise Refusal(sentence % {"entry": word[:80]}, field=FIELD)
    return f"{star}{host}:{int(port)}" if colon else star + host


def _in_ascii(name: str) -> str:
    """Names in other alphabets as browsers send them; empty where they cannot be."""
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return ""


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536
