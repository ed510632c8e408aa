"""The table: how each maker's captive portal writes what it passes. The first row whose marks are there decides.

`docs/captive-portals.md` has the same table for administrators, and says what is inferred rather than documented.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from guests.captive import logging_in
from guests.captive.logging_in import LogIn, Passed


@dataclass(frozen=True)
class Dialect:
    """One way to pass a guest on. Of several names for the same thing the first that was given counts."""

    key: str
    label: str
    #: All parameters of one of these rows must be there.
    marks: tuple[tuple[str, ...], ...]
    mac: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    ssid: tuple[str, ...] = ()
    access_point: tuple[str, ...] = ()
    onward: tuple[str, ...] = ()
    #: What is needed to log in and is kept for it as it came.
    passed: tuple[str, ...] = ()
    log_in: Callable[[Passed], LogIn | None] | None = None

    def speaks(self, query: Mapping[str, str]) -> bool:
        return any(all(query.get(name) for name in mark) for mark in self.marks)


#: Ours, for networks whose administrator writes the address of the page by hand.
GENERIC = Dialect(
    "generic",
    "generic",
    marks=(),
    mac=("mac",),
    ip=("ip",),
    ssid=("ssid",),
    access_point=("ap",),
    onward=("continue",),
)

#: help.ui.com, article 31228198640023 *External Hotspot API for Authorization Clients*: `id` is the guest's MAC. The
#: guest is let in by a call to the controller (`authorize-guest`), never by the browser.
UNIFI = Dialect(
    "unifi",
    "UniFi",
    marks=(("id", "ap"),),
    mac=("id",),
    ssid=("ssid",),
    access_point=("ap",),
    onward=("url",),
)

#: help.mikrotik.com *Hotspot customisation*, servlet pages and variables; RouterOS 2.9 manual p. 539 has the CHAP sum.
MIKROTIK = Dialect(
    "mikrotik",
    "MikroTik",
    marks=(("link-login-only",),),
    mac=("mac",),
    ip=("ip",),
    ssid=("ssid",),
    onward=("link-orig",),
    passed=("link-login-only", "chap-id", "chap-challenge"),
    log_in=logging_in.mikrotik,
)

#: cisco.com 217457 (Catalyst 9800, external web authentication) and the AireOS guide 8.x, *Web authentication process*.
#: Catalyst lets the names be chosen: `wlan_ssid` and `ssid` are seen in the field.
CISCO = Dialect(
    "cisco",
    "Cisco WLC, Catalyst 9800",
    marks=(("switch_url",),),
    mac=("client_mac",),
    ssid=("wlan", "wlan_ssid", "ssid"),
    access_point=("ap_mac",),
    onward=("redirect",),
    passed=("switch_url",),
    log_in=logging_in.cisco,
)

#: developer.cisco.com/meraki/captive-portal-api/sign-on-api, *HTTP flow*.
MERAKI_SIGN_ON = Dialect(
    "meraki_sign_on",
    "Cisco Meraki, sign-on",
    marks=(("login_url",),),
    mac=("client_mac",),
    ip=("client_ip",),
    access_point=("ap_mac", "node_mac"),
    onward=("continue_url",),
    passed=("login_url",),
    log_in=logging_in.meraki_sign_on,
)

#: developer.cisco.com/meraki/captive-portal-api/click-through-api, *HTTP logic*.
MERAKI_CLICK_THROUGH = Dialect(
    "meraki_click_through",
    "Cisco Meraki, click-through",
    marks=(("base_grant_url",),),
    mac=("client_mac",),
    ip=("client_ip",),
    access_point=("node_mac",),
    onward=("user_continue_url",),
    passed=("base_grant_url",),
    log_in=logging_in.meraki_click_through,
)

#: docs.cloud.ruckuswireless.com/ruckusone/wispr-api, *Redirection attributes*. MAC and address of the guest come
#: encrypted (`ENC…`) unless the controller is told `no encrypt-mac-ip`; `mac` is the access point's.
SMARTZONE = Dialect(
    "smartzone",
    "Ruckus SmartZone",
    marks=(("nbiIP",),),
    mac=("client_mac",),
    ip=("uip",),
    ssid=("ssid",),
    access_point=("mac",),
    onward=("url",),
    passed=("nbiIP", "sip", "apip", "sshTunnelStatus", "uip", "client_mac", "proxy"),
    log_in=logging_in.smartzone,
)

#: Ruckus application note *Enabling WISPr (Hotspot Services) in the ZoneDirector*; `client_mac` and `ssid` as Unleashed
#: passes them.
RUCKUS = Dialect(
    "ruckus",
    "Ruckus ZoneDirector, Unleashed",
    marks=(("sip", "uip"), ("sip", "client_mac")),
    mac=("client_mac",),
    ip=("uip",),
    ssid=("ssid",),
    access_point=("mac",),
    onward=("url",),
    passed=("sip", "uip"),
    log_in=logging_in.ruckus,
)

#: CoovaChilli, `redir.c`: what it appends to `uamserver`, and what it reads at `/logon`.
COOVA_CHILLI = Dialect(
    "coova_chilli",
    "CoovaChilli",
    marks=(("uamip", "uamport"),),
    mac=("mac",),
    ip=("ip",),
    ssid=("ssid",),
    access_point=("called",),
    onward=("userurl",),
    passed=("uamip", "uamport", "challenge"),
    log_in=logging_in.coova_chilli,
)

#: Aruba Instant user guide, *External captive portal redirect parameters*; Instant On has `network` and `post`.
ARUBA = Dialect(
    "aruba",
    "Aruba",
    marks=(("cmd", "mac"),),
    mac=("mac",),
    ip=("ip",),
    ssid=("essid", "network"),
    access_point=("apmac", "apname"),
    onward=("url",),
    passed=("switchip", "post"),
    log_in=logging_in.aruba,
)

DIALECTS = (
    *(MIKROTIK, CISCO, MERAKI_SIGN_ON, MERAKI_CLICK_THROUGH, SMARTZONE, RUCKUS, COOVA_CHILLI, ARUBA, UNIFI),
    GENERIC,
)
BY_KEY = {dialect.key: dialect for dialect in DIALECTS}


def dialect_of(query: Mapping[str, str], path_site: str = "") -> Dialect:
    """Whose words these are; UniFi is also known by its path, `/guest/s/<site>/`."""
    if path_site:
        return UNIFI
    return next((dialect for dialect in DIALECTS if dialect.speaks(query)), GENERIC)
