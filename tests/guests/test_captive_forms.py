"""How a guest gets on line: the form for the network, and where the guest may go on to."""

from hashlib import md5

import pytest
from django.http import QueryDict

from guests.captive import forms
from guests.captive.arrivals import arrival_of
from guests.captive.hosts import form_targets
from tests.guests.test_captive_arrivals import IP, MAC, SENT, SITE

HOSTS = [
    *("10.5.50.1", "wifi.example.org", "*.network-auth.com", "scg.ruckuswireless.com:9998", "192.168.0.253:9997"),
    *("10.1.0.1:3990", "securelogin.example.org", "securelogin.arubanetworks.com", "connectivity.example"),
]
PASSWORD = "river & stone 42"

FORMS: dict[str, tuple[str, str, dict[str, str]]] = {
    "mikrotik": (
        *("post", "http://10.5.50.1/login"),
        {"username": "bob", "password": "", "dst": SITE, "popup": "false"},
    ),
    "cisco": (
        *("post", "http://wifi.example.org/login.html"),
        {"username": "bob", "password": PASSWORD, "buttonClicked": "4", "err_flag": "0", "redirect_url": SITE},
    ),
    "meraki_sign_on": (
        *("post", "https://n143.network-auth.com/splash/login?mauth=MM1&continue_url=x"),
        {"username": "bob", "password": PASSWORD, "success_url": SITE},
    ),
    "meraki_click_through": ("get", "https://n143.network-auth.com/splash/grant", {"continue_url": SITE}),
    "smartzone": (
        *("post", "https://scg.ruckuswireless.com:9998/SubscriberPortal/hotspotlogin"),
        {
            "username": "bob",
            "password": PASSWORD,
            "url": SITE,
            "uip": IP,
            "client_mac": "AA:BB:CC:00:11:22",
            "proxy": "0",
        },
    ),
    "ruckus": ("post", "http://192.168.0.253:9997/login", {"username": "bob", "password": PASSWORD, "ip": IP}),
    "coova_chilli": (
        *("get", "http://10.1.0.1:3990/logon"),
        {"username": "bob", "response": "", "userurl": SITE},
    ),
    "aruba": (
        *("post", "https://securelogin.example.org/cgi-bin/login"),
        {"user": "bob", "password": PASSWORD, "cmd": "authenticate", "url": SITE},
    ),
}
#: The sums as RFC 1994 and RouterOS have them, worked out from the bytes.
SUMS = {
    ("mikrotik", "password"): md5(
        b"\xf9" + PASSWORD.encode() + bytes.fromhex("ef0dd80b119c65a5c3ab62a65b7dfdce"), usedforsecurity=False
    ),
    ("coova_chilli", "response"): md5(
        b"\x00" + PASSWORD.encode() + bytes.fromhex("0af969874aa833e6989006f0b2f41793"), usedforsecurity=False
    ),
}
for (key, name), summed in SUMS.items():
    FORMS[key][2][name] = summed.hexdigest()


def form(key: str, changed: dict[str, str] | None = None, hosts: list[str] = HOSTS) -> forms.Form | None:
    query = QueryDict(SENT[key]).dict() | (changed or {})
    return forms.form(arrival_of({name: str(value) for name, value in query.items()}), "bob", PASSWORD, hosts)


@pytest.mark.parametrize("key", FORMS)
def test_it_makes_the_form_that_the_network_takes(key: str) -> None:
    made = form(key)
    assert made is not None
    assert (made.method, made.action, made.fields) == FORMS[key]
    assert made.targets == form_targets(HOSTS)


@pytest.mark.parametrize("key", FORMS)
def test_no_password_goes_to_a_host_that_is_not_in_the_list(key: str) -> None:
    assert form(key, hosts=["other.example", "connectivity.example"]) is None
    assert form(key, hosts=[]) is None


@pytest.mark.parametrize("key", FORMS)
def test_no_password_stands_in_an_address(key: str) -> None:
    made = form(key)
    assert made is not None
    if made.method == "get":
        assert PASSWORD not in made.fields.values()
    assert PASSWORD not in repr(made)


@pytest.mark.parametrize("key", sorted(set(FORMS) - {"ruckus"}))
def test_guests_go_on_to_hosts_of_the_list_only(key: str) -> None:
    made = form(key, hosts=[host for host in HOSTS if host != "connectivity.example"])
    assert made is not None
    assert SITE not in made.fields.values()
    assert set(made.fields) == {name for name, value in FORMS[key][2].items() if value != SITE}


@pytest.mark.parametrize("key", ["generic", "unifi"])
def test_some_networks_take_no_log_in_from_a_browser(key: str) -> None:
    arrival = arrival_of(QueryDict(SENT[key]))
    assert forms.form(arrival, "bob", PASSWORD, HOSTS) is None
    assert forms.onward(arrival, HOSTS) == SITE
    assert forms.onward(arrival, []) == ""


def test_mikrotik_without_a_challenge_takes_the_password_itself() -> None:
    made = form("mikrotik", {"chap-id": "", "chap-challenge": ""})
    assert made is not None
    assert made.fields["password"] == PASSWORD


@pytest.mark.parametrize(
    "changed",
    [
        *({"chap-id": value} for value in ("", "371", "\\37", "\\371\\371", "\\999", "\\471", "ù", "\\371\n")),
        *({"chap-challenge": value} for value in ("", "abc", "\\357x", "\\357" * 65)),
    ],
)
def test_a_challenge_that_cannot_be_read_leaves_the_button_out(changed: dict[str, str]) -> None:
    assert form("mikrotik", changed) is None


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("mikrotik", {"link-login-only": "http://10.5.50.1@evil.example/login"}),
        ("mikrotik", {"link-login-only": "javascript:alert(1)"}),
        ("mikrotik", {"link-login-only": "http://10.5.50.1\\@evil.example/"}),
        ("cisco", {"switch_url": "https://wifi.example.org.evil.example/login.html"}),
        ("cisco", {"switch_url": "//wifi.example.org/login.html"}),
        ("aruba", {"switchip": "securelogin.example.org/elsewhere?"}),
        ("aruba", {"switchip": "securelogin.example.org:8080"}),
        ("aruba", {"switchip": "evil@securelogin.example.org"}),
        ("ruckus", {"sip": "192.168.0.253/x"}),
        ("ruckus", {"sip": "192.168.0.253#"}),
        ("smartzone", {"sip": "[::1]"}),
        *(("coova_chilli", {"uamip": value}) for value in ("evil.example", "10.1.0.1.evil.example", "10.1", "::1")),
        *(("coova_chilli", {"uamport": value}) for value in ("3990/x", "80@evil.example", "0", "99999", "-1")),
        *(("coova_chilli", {"challenge": value}) for value in ("", "0af9", "z" * 32)),
    ],
)
def test_what_leads_elsewhere_gets_no_form(key: str, changed: dict[str, str]) -> None:
    assert form(key) is not None
    assert form(key, changed) is None


def test_aruba_without_a_name_of_its_own_answers_under_the_old_one() -> None:
    made = form("aruba", {"switchip": ""})
    assert made is not None
    assert made.action == "https://securelogin.arubanetworks.com/cgi-bin/login"


def test_smartzone_that_tunnels_nobody_is_asked_at_the_access_point() -> None:
    made = form("smartzone", {"sshTunnelStatus": "0"}, ["192.168.200.32:9997"])
    assert made is not None
    assert made.action == "http://192.168.200.32:9997/SubscriberPortal/hotspotlogin"


def test_the_query_of_an_address_that_is_got_is_not_lost() -> None:
    made = form("meraki_click_through", {"base_grant_url": "https://n143.network-auth.com/splash/grant?a=1&b="})
    assert made is not None
    assert made.action == "https://n143.network-auth.com/splash/grant"
    assert made.fields == {"a": "1", "continue_url": SITE}


def test_nothing_that_was_passed_becomes_another_field() -> None:
    made = form("cisco", {"password": "theirs", "username": "eve", "buttonClicked": "1", "mac": MAC})
    assert made is not None
    assert made.fields == FORMS["cisco"][2]
