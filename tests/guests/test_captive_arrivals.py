"""What networks pass along with a guest, in the words of each maker."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.http import QueryDict

from guests.captive.arrivals import Arrival, arrival_of
from guests.captive.dialects import DIALECTS

MAC, AP, IP, SITE = (
    "aa:bb:cc:00:11:22",
    "b4:79:c8:3c:4b:20",
    "192.168.1.106",
    "http://connectivity.example/204",
)

#: What each maker's equipment sends, as its documents and logs have it.
SENT = {
    "generic": f"mac=AA-BB-CC-00-11-22&ip={IP}&ssid=Lobby&ap={AP}&continue=http%3A%2F%2Fconnectivity.example%2F204",
    "mikrotik": f"mac={MAC}&ip={IP}&username=&link-login=http%3A%2F%2F10.5.50.1%2Flogin%3Fdst%3Dx&ssid=Lobby"
    "&link-orig=http%3A%2F%2Fconnectivity.example%2F204&error=&chap-id=%5C371"
    "&chap-challenge=%5C357%5C015%5C330%5C013%5C021%5C234%5C145%5C245%5C303%5C253%5C142%5C246%5C133%5C175%5C375%5C316"
    "&link-login-only=http%3A%2F%2F10.5.50.1%2Flogin",
    "unifi": f"ap={AP}&id={MAC}&t=1742398732&url=http%3A%2F%2Fconnectivity.example%2F204&ssid=Lobby",
    "cisco": f"switch_url=http://wifi.example.org/login.html&ap_mac={AP}&client_mac={MAC}&wlan=Lobby"
    "&redirect=connectivity.example/204",
    "meraki_sign_on": "login_url=https%3A%2F%2Fn143.network-auth.com%2Fsplash%2Flogin%3Fmauth%3DMM1%26continue_url%3Dx"
    f"&continue_url=http%3A%2F%2Fconnectivity.example%2F204&ap_mac={AP}&ap_name=mr53&client_mac={MAC}"
    f"&client_ip={IP}",
    "meraki_click_through": "base_grant_url=https%3A%2F%2Fn143.network-auth.com%2Fsplash%2Fgrant&node_id=1301936"
    f"&user_continue_url=http%3A%2F%2Fconnectivity.example%2F204&node_mac={AP}&client_ip={IP}&client_mac={MAC}",
    "smartzone": f"nbiIP=192.168.200.211&client_mac=AA:BB:CC:00:11:22&reason=Un-Auth-Captive&wlanName=r&ssid=Lobby"
    f"&mac={AP}&url=http%3A%2F%2Fconnectivity.example%2F204&proxy=0&vlan=1&wlan=1&sip=scg.ruckuswireless.com"
    f"&apip=192.168.200.32&sshTunnelStatus=1&uip={IP}&StartURL=https%3A%2F%2Fwww.example.com",
    "ruckus": f"sip=192.168.0.253&mac=b479c83c4b20&client_mac=aabbcc001122&uip={IP}&lid=&dn=&loc=&vlan=1&ssid=Lobby"
    "&url=http%3a%2f%2fconnectivity.example%2f204",
    "coova_chilli": "res=notyet&uamip=10.1.0.1&uamport=3990&challenge=0af969874aa833e6989006f0b2f41793"
    f"&called=B4-79-C8-3C-4B-20&mac=AA-BB-CC-00-11-22&ip={IP}&nasid=nas01&sessionid=4f2e&ssid=Lobby"
    "&userurl=http%3a%2f%2fconnectivity.example%2f204&md=730D",
    "aruba": f"cmd=login&mac={MAC}&essid=Lobby&ip={IP}&apname=lobby-1&apmac={AP}&vcname=instant"
    "&switchip=securelogin.example.org&url=http%3A%2F%2Fconnectivity.example%2F204",
}
NOT_SENT = {
    *(("mikrotik", "access_point"), ("unifi", "ip"), ("cisco", "ip")),
    *(("meraki_sign_on", "ssid"), ("meraki_click_through", "ssid")),
}


def test_every_dialect_has_its_example() -> None:
    assert set(SENT) == {dialect.key for dialect in DIALECTS}


@pytest.mark.parametrize("key", SENT)
def test_it_reads_what_each_maker_sends(key: str) -> None:
    found = arrival_of(QueryDict(SENT[key]))
    expected = {
        "mac": MAC,
        "ip": IP,
        "ssid": "Lobby",
        "access_point": AP,
        "continue_url": SITE,
        "dialect": key,
        "site": "",
    }
    expected |= {name: "" for dialect, name in NOT_SENT if dialect == key}
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize("key", SENT)
def test_it_survives_from_page_to_page(key: str) -> None:
    found = arrival_of(QueryDict(SENT[key]))
    again = Arrival.from_json(json.loads(json.dumps(found.as_json())))
    assert again == found
    assert (again.login is None) is (key in {"generic", "unifi"})


def test_a_plain_mapping_will_do() -> None:
    assert arrival_of({"mac": MAC, "ip": IP}) == Arrival(mac=MAC, ip=IP)


def test_unifi_is_known_by_its_path() -> None:
    found = arrival_of({"id": MAC, "url": SITE}, path_site="default")
    assert found == Arrival(mac=MAC, continue_url=SITE, dialect="unifi", site="default")


@pytest.mark.parametrize("site", ["../admin", "a" * 65, "a b", "a\n", "сайт"])
def test_a_site_that_is_none_is_dropped(site: str) -> None:
    assert arrival_of({"id": MAC}, path_site=site) == Arrival(mac=MAC, dialect="unifi")


def test_instant_on_has_its_own_names() -> None:
    found = arrival_of({"cmd": "login", "mac": MAC, "network": "Lobby", "post": "captive-2020.aio.cloudauth.net"})
    assert (found.ssid, found.passed) == ("Lobby", {"post": "captive-2020.aio.cloudauth.net"})


def test_of_several_names_the_first_that_can_be_read_counts() -> None:
    found = arrival_of({"switch_url": "http://wifi.example.org/", "wlan": "a" * 33, "wlan_ssid": "Lobby"})
    assert found.ssid == "Lobby"


def test_encrypted_addresses_are_handed_back_and_nothing_else() -> None:
    found = arrival_of({"nbiIP": "10.0.0.2", "client_mac": "ENCd2dbf9", "uip": "ENCb25798"})
    assert (found.mac, found.ip) == ("", "")
    assert found.passed == {"nbiIP": "10.0.0.2", "client_mac": "ENCd2dbf9", "uip": "ENCb25798"}


def test_without_parameters_nothing_is_known() -> None:
    assert arrival_of(QueryDict("")) == Arrival()
    assert Arrival().login is None


def test_a_parameter_that_is_repeated_otherwise_is_dropped() -> None:
    found = arrival_of(QueryDict(f"mac={MAC}&mac=aa:bb:cc:00:11:33&ip={IP}&ip={IP}"))
    assert found == Arrival(ip=IP)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("mac", value) for value in ("", "x", "ff:ff:ff:ff:ff:ff", "a" * 100_000, MAC + "\n", MAC + "\x00")),
        *(("ip", value) for value in ("300.1.1.1", "127.0.0.1", "<script>")),
        *(("ssid", value) for value in ("a" * 33, "\x1b[2J", "a\u202eb")),
        *(("continue", value) for value in ("javascript:alert(1)", "data:text/html,x", "https://good@evil.example/")),
        *(("continue", value) for value in ("https://evil.example\\@good.example/", "//evil.example/", "/admin/")),
        *(("continue", value) for value in ("javascript:alert(1)/x", "http://a.example/\r\nX: y", "http://é.example/")),
    ],
)
def test_a_bad_value_is_dropped_and_the_others_stay(name: str, value: str) -> None:
    good = {"mac": MAC, "ip": IP, "ssid": "Lobby", "continue": SITE}
    whole = Arrival(mac=MAC, ip=IP, ssid="Lobby", continue_url=SITE)
    assert arrival_of(good) == whole
    found = arrival_of(good | {name: value})
    field = "continue_url" if name == "continue" else name
    assert found.as_json() == whole.as_json() | {field: ""}


def test_what_is_kept_is_bounded() -> None:
    query = {"link-login-only": "http://10.5.50.1/" + "a" * 5000, "mac": MAC, **{f"x{n}": "y" for n in range(1000)}}
    found = arrival_of(query)
    assert (found.passed, found.login) == ({}, None)
    assert len(json.dumps(found.as_json())) < 300


@pytest.mark.parametrize(
    "kept", [None, "", [], 7, {"mac": 7, "passed": []}, {"dialect": "../x", "passed": {"a": 1}}, {"mac": ["x"]}]
)
def test_what_cannot_be_understood_is_an_arrival_without_words(kept: object) -> None:
    assert Arrival.from_json(kept) == Arrival()


def test_what_was_kept_is_not_believed() -> None:
    forged: dict[str, Any] = {
        "mac": "<b>",
        "ip": "127.0.0.1",
        "ssid": "\x00",
        "access_point": "1",
        "continue_url": "javascript:alert(1)",
        "site": "../..",
        "dialect": "mikrotik",
        "login": {"action_url": "https://evil.example/"},
        "passed": {"link-login-only": "javascript:alert(1)", "chap-id": 5, "is_admin": "yes"},
    }
    found = Arrival.from_json(forged)
    assert found == Arrival(dialect="mikrotik", passed={"link-login-only": "javascript:alert(1)"})
    assert found.login is None


def test_the_examples_are_whole() -> None:
    assert all(parse_qs(sent, strict_parsing=False) for sent in SENT.values())
