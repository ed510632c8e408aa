"""Who is calling: only what a proxy of ours says is believed."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from portal import web
from portal.callers import ForwardedByOurProxies, address_of, host_of

OURS = ["10.0.0.0/24", "2001:db8:ffff::/48"]


@pytest.fixture
def behind_proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network(text) for text in OURS]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        # Nobody's word is taken but our proxies'.
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("192.0.2.1", "10.0.0.1", "192.0.2.1"),
        ("10.0.1.1", "203.0.113.9", "10.0.1.1"),
        # One proxy, then several; what stands before the first stranger may be anybody's invention.
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6,203.0.113.9,2001:db8:ffff::2,10.0.0.2", "203.0.113.9"),
        # Nothing usable: the last that can be believed.
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "6.6.6.6, , 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.9, 1.2.3.4.5", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, 0x7f000001", "10.0.0.1"),
        # Spellings.
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "6.6.6.6, ::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, ::ffff:10.0.0.2", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("2001:db8:ffff::1", "2001:db8::9", "2001:db8::9"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("", "203.0.113.9", None),
        ("/run/portal.sock", "203.0.113.9", None),
    ],
)
def test_the_address_is_what_our_own_proxies_say(
    behind_proxies: None, peer: str, forwarded: str, address: str | None
) -> None:
    headers: Any = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=peer, **headers)) == address


def test_without_proxies_the_peer_is_the_caller(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = []
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert address_of(request) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "proto", "secure"),
    [
        ("10.0.0.1", "https", True),
        ("10.0.0.1", "http", False),
        ("10.0.0.1", "https, http", False),
        ("10.0.0.1", "http, https", True),
        ("192.0.2.1", "https", False),
        ("", "https", False),
    ],
)
def test_only_our_proxies_make_a_request_secure(behind_proxies: None, peer: str, proto: str, secure: bool) -> None:
    found: list[bool] = []

    def view(request: HttpRequest) -> HttpResponse:
        found.append(request.is_secure())
        return HttpResponse()

    ForwardedByOurProxies(view)(RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO=proto))
    assert found == [secure]


def test_a_stranger_is_sent_to_https_whatever_he_claims(behind_proxies: None, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    claim = {"HTTP_X_FORWARDED_PROTO": "https"}
    assert Client().get("/admin/login/", REMOTE_ADDR="192.0.2.1", **claim).status_code == 301  # type: ignore[arg-type]


def test_gunicorn_believes_nobody_by_itself() -> None:
    assert (web.forwarded_allow_ips, web.secure_scheme_headers) == ("", {})


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "::1"),
        (None, ""),
        ("nonsense", ""),
    ],
)
def test_an_ipv6_host_is_the_network_that_it_has_for_itself(address: str | None, host: str) -> None:
    assert host_of(address) == host
