"""Getting on line: the form that logs a guest in at the network, and where the guest may go on to.

The one place that asks the administrator's list before a guest, or a password, is sent anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from guests.captive import hosts
from guests.captive.arrivals import Arrival


@dataclass(frozen=True)
class Form:
    """A form with hidden fields and one button. Its page is to name `targets` in `headers.may_post_to`."""

    action: str
    #: `post` or `get`.
    method: str
    #: The password is among them: never in a log.
    fields: dict[str, str] = field(repr=False)
    targets: list[str]


def form(arrival: Arrival, username: str, password: str, redirect_hosts: Sequence[str]) -> Form | None:
    """None where the network takes no log-in from a browser, or its host is not in the list."""
    login = arrival.login
    if login is None or not hosts.allowed(login.action_url, redirect_hosts):
        return None
    action, fields = login.action_url, dict(login.fields)
    if login.method == "get":
        action, asked = _without_query(action)
        fields = asked | fields
    fields |= {login.username: username, login.password: login.sealed(password)}
    fields |= {login.onward: onward(arrival, redirect_hosts)}
    given = {name: value for name, value in fields.items() if name and value}
    return Form(action, login.method, given, hosts.form_targets(redirect_hosts))


def onward(arrival: Arrival, redirect_hosts: Sequence[str]) -> str:
    """Where the guest wanted to go, if guests may be sent there; else empty."""
    return arrival.continue_url if hosts.allowed(arrival.continue_url, redirect_hosts) else ""


def _without_query(address: str) -> tuple[str, dict[str, str]]:
    """Browsers throw away the query of a form that is sent by GET: its parameters become fields."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query="")), dict(parse_qsl(parts.query, keep_blank_values=True))
