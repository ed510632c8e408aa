"""The list of hosts to which guests may be sent."""

import pytest

from guests.captive.hosts import MOST, allowed, form_targets, parse_hosts
from portal import headers
from portal.errors import Refusal

HOSTS = ["login.example.org", "*.network-auth.com", "10.1.0.1:3990", "*.example.net:8443"]


@pytest.mark.parametrize(
    "url",
    [
        *("http://login.example.org", "https://login.example.org/a?b", "HTTPS://LOGIN.example.org:443/"),
        *("https://n143.network-auth.com/splash", "https://a.b.network-auth.com/", "http://10.1.0.1:3990/logon"),
        "https://a.example.net:8443/",
    ],
)
def test_hosts_of_the_list_are_allowed(url: str) -> None:
    assert allowed(url, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        *("", "login.example.org", "//login.example.org/", "javascript://login.example.org/%0aalert(1)"),
        *("ftp://login.example.org/", "https://evil.example/", "https://login.example.org.evil.example/"),
        *("https://evil-login.example.org/", "https://a.login.example.org/", "https://network-auth.com/"),
        *(
            "https://evilnetwork-auth.com/",
            "https://login.example.org@evil.example/",
            "https://login.example.org:8443/",
        ),
        *("https://evil.example\\@login.example.org/", "https://evil.example#login.example.org"),
        *("http://10.1.0.1/", "http://10.1.0.1:3991/", "http://10.1.0.10:3990/", "https://a.example.net/"),
        *("https://evil.example?.network-auth.com/", "https://evil.example/.network-auth.com"),
    ],
)
def test_no_other_host_is_allowed(url: str) -> None:
    assert not allowed(url, HOSTS)


def test_an_empty_list_allows_nothing() -> None:
    assert not allowed("https://login.example.org/", [])


def test_a_list_is_read_as_people_write_it() -> None:
    written = " Login.Example.ORG\r\n*.network-auth.com, 10.1.0.1:3990; login.example.org\n\nпортал.рф *.Кафе.рф:08443"
    assert parse_hosts(written) == [
        *("login.example.org", "*.network-auth.com", "10.1.0.1:3990"),
        *("xn--80awhdgm.xn--p1ai", "*.xn--80akn5b.xn--p1ai:8443"),
    ]
    assert parse_hosts(" \n ") == []


def test_what_is_read_stays_as_it_is() -> None:
    assert parse_hosts("\n".join(HOSTS)) == HOSTS


@pytest.mark.parametrize(
    "entry",
    [
        *("https://login.example.org", "login.example.org/path", "user@login.example.org", "login.example.org:"),
        *("login.example.org:0", "login.example.org:65536", "login.example.org:http", "[2001:db8::1]", "2001:db8::1"),
        *("*", "*.", "*.org", "*.10.0.0.1", "a.*.org", "**.example.org", "*example.org", "127.1", "-a.org", "a..b"),
        *("login.example.org.", "login\\example.org", "javascript:alert(1)", "a" * 300),
    ],
)
def test_what_is_no_host_is_refused_with_its_name(entry: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_hosts(f"good.example\n{entry}")
    assert refused.value.field == "redirect_hosts"
    assert entry[:80] in refused.value.sentence
    assert "*.example.org" in refused.value.sentence


def test_a_list_without_end_is_refused() -> None:
    many = [f"h{number}.example" for number in range(MOST)]
    assert parse_hosts(",".join(many)) == many
    with pytest.raises(Refusal) as refused:
        parse_hosts(",".join([*many, "one.more"]))
    assert (refused.value.field, str(MOST) in refused.value.sentence) == ("redirect_hosts", True)


def test_every_entry_can_stand_in_the_policy_of_a_page() -> None:
    assert form_targets(HOSTS)[1:4] == [*("http://*.network-auth.com", "http://10.1.0.1:3990", "https://10.1.0.1:3990")]
    assert all(headers.TARGET.fullmatch(target) for target in form_targets(HOSTS))
