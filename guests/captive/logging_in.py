"""How a guest's browser hands user name and password to each network: one function per dialect, from what was passed.

No password ever stands in an address: a network that takes a form by GET only gets the CHAP response or nothing. That
the network's host is in the list is asked in `forms`, not here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import md5

from guests.captive import reading

Passed = Mapping[str, str]
Seal = Callable[[str], str]

_OCTETS = re.compile(r"(?:\\[0-3][0-7]{2}){1,64}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_CHALLENGE = re.compile(r"[0-9a-fA-F]{32}")
_RUCKUS = {"http": 9997, "https": 9998}


def as_typed(password: str) -> str:
    """The password itself."""
    return password


@dataclass(frozen=True)
class LogIn:
    """The form that a network takes. Names of fields are empty where it has no such field."""

    action_url: str
    method: str = "post"
    #: Fields that are the same for everybody.
    fields: Mapping[str, str] = field(default_factory=dict)
    username: str = "username"
    password: str = "password"
    #: Where the guest wants to go afterwards.
    onward: str = ""
    sealed: Seal = as_typed


def mikrotik(passed: Passed) -> LogIn | None:
    """RouterOS hands out a CHAP challenge where its profile has HTTP-CHAP; the plain password would be refused then."""
    seal: Seal = as_typed
    if passed.get("chap-id") or passed.get("chap-challenge"):
        ident, challenge = _octets(passed.get("chap-id", "")), _octets(passed.get("chap-challenge", ""))
        if len(ident) != 1 or not challenge:
            return None
        seal = _chap(ident, challenge)
    return LogIn(passed.get("link-login-only", ""), fields={"popup": "false"}, onward="dst", sealed=seal)


def cisco(passed: Passed) -> LogIn | None:
    """The virtual interface of the controller; the button numbered 4 is *Submit*."""
    fields = {"buttonClicked": "4", "err_flag": "0"}
    return LogIn(passed.get("switch_url", ""), fields=fields, onward="redirect_url")


def meraki_sign_on(passed: Passed) -> LogIn | None:
    """The cloud asks the RADIUS server of the network."""
    return LogIn(passed.get("login_url", ""), onward="success_url")


def meraki_click_through(passed: Passed) -> LogIn | None:
    """Grants access to whoever calls it: user name and password play no part."""
    return LogIn(passed.get("base_grant_url", ""), "get", username="", password="", onward="continue_url")


def aruba(passed: Passed) -> LogIn | None:
    """The access point answers under the name of its certificate, and takes an older one where it passed none."""
    host = passed.get("switchip") or passed.get("post") or "securelogin.arubanetworks.com"
    return LogIn(_at(host, "/cgi-bin/login"), fields={"cmd": "authenticate"}, username="user", onward="url")


def ruckus(passed: Passed) -> LogIn | None:
    """ZoneDirector and Unleashed; `ip` tells the guest from others behind the same NAT."""
    host = passed.get("sip", "")
    return LogIn(_at(host, "/login", _RUCKUS), fields=_named({"ip": "uip"}, passed))


def smartzone(passed: Passed) -> LogIn | None:
    """The controller where it tunnels the guests, else the access point; MAC and address go back as they came."""
    tunnelled = passed.get("sshTunnelStatus", "1") == "1"
    host = passed.get("sip") or passed.get("nbiIP", "") if tunnelled else passed.get("apip", "")
    fields = _named({"uip": "uip", "client_mac": "client_mac", "proxy": "proxy"}, passed)
    return LogIn(_at(host, "/SubscriberPortal/hotspotlogin", _RUCKUS), fields=fields, onward="url")


def coova_chilli(passed: Passed) -> LogIn | None:
    """It reads the address only, never the body of a form: so the CHAP response, which needs an empty `uamsecret`."""
    host, port, challenge = (passed.get(name, "") for name in ("uamip", "uamport", "challenge"))
    if not (reading.is_ipv4(host) and _PORT.fullmatch(port) and _CHALLENGE.fullmatch(challenge)):
        return None
    seal = _chap(b"\0", bytes.fromhex(challenge))
    return LogIn(f"http://{host}:{port}/logon", "get", password="response", onward="userurl", sealed=seal)


def _chap(ident: bytes, challenge: bytes) -> Seal:
    """RFC 1994: what proves the password and does not tell it. MD5 is the protocol's, not our choice."""

    def seal(password: str) -> str:
        return md5(ident + password.encode() + challenge, usedforsecurity=False).hexdigest()

    return seal


def _octets(text: str) -> bytes:
    """Bytes written as RouterOS writes them for scripts, `\\371\\015`; nothing where it is anything else."""
    if not _OCTETS.fullmatch(text):
        return b""
    return bytes(int(octal, 8) for octal in text.split("\\")[1:])


def _at(host: str, path: str, ports: Mapping[str, int] = reading.PORTS) -> str:
    """Empty for what is no host. Certificates are for names: at a bare address every browser would warn."""
    scheme = "http" if reading.is_ipv4(host) else "https"
    return f"{scheme}://{host}:{ports[scheme]}{path}" if reading.is_host(host) else ""


def _named(names: Mapping[str, str], passed: Passed) -> dict[str, str]:
    return {name: passed[key] for name, key in names.items() if passed.get(key)}
