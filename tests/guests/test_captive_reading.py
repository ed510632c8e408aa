"""Values that anybody may have written: read strictly, or dropped without a word."""

import pytest

from guests.captive import reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://example.org", "http://example.org/"),
        ("https://example.org:443/a?b=c#d", "https://example.org/a?b=c"),
        ("HTTP://Example.ORG:8080/A", "http://example.org:8080/A"),
        ("http://10.0.0.1:3990/logon", "http://10.0.0.1:3990/logon"),
        ("http://router.lan/login", "http://router.lan/login"),
        ("https://xn--80ak6aa92e.com/", "https://xn--80ak6aa92e.com/"),
        ("http://example.org:/a", "http://example.org/a"),
        ("http://example.org//evil.example/", "http://example.org//evil.example/"),
    ],
)
def test_it_reads_addresses_of_the_web(text: str, expected: str) -> None:
    assert reading.url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "example.org",
            "//evil.example",
            "/path",
            "http:",
            "http://",
            "http:///evil.example",
            "http:evil.example",
        ),
        *("javascript:alert(1)", "JaVaScRiPt://example.org/%0aalert(1)", "data:text/html,x", "ftp://example.org/"),
        *("https://good.example@evil.example/", "https://good.example%40evil.example/", "https://a:b@good.example/"),
        *("https://good.example\\@evil.example/", "https:\\\\evil.example", "https://good.example\\.evil.example/"),
        *(
            "https://good.example/\r\nSet-Cookie: a=b",
            "https://good.example/\x00",
            "java\tscript:alert(1)",
            " http://a.b",
        ),
        *("https://good.example/a b", 'https://good.example/"onload=', "https://good.example/<script>"),
        *("https://аррӏе.example/", "https://good.example/путь", "https://good.example\u3002evil.example/"),
        *("http://example.org:0/", "http://example.org:65536/", "http://example.org:80x/", "http://example.org:-1/"),
        *("http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://0177.0.0.1/", "http://1.2.3.4.5/"),
        *("http://10.0.0.256/", "http://evil.0x1/", "http://[::1]/", "http://[fe80::1%25eth0]/", "http://[evil/"),
        *("http://-evil.example/", "http://evil..example/", "http://example.org./", "http://*.example.org/"),
        "http://example.org/" + "a" * 2000,
        "http://" + "a" * 64 + ".org/",
        "http://" + ".".join(["a" * 60] * 5) + "/",
    ],
)
def test_it_drops_addresses_that_lead_elsewhere_than_they_seem(text: str) -> None:
    assert reading.url(text) == ""


@pytest.mark.parametrize(
    "text", ["aa:bb:cc:00:11:22", "AA-BB-CC-00-11-22", "aabb.cc00.1122", "aabbcc001122", "Aa:Bb:Cc:00:11:22"]
)
def test_it_reads_every_usual_spelling_of_a_mac(text: str) -> None:
    assert reading.mac(text) == "aa:bb:cc:00:11:22"


@pytest.mark.parametrize(
    "text",
    [
        *("", "---", "aa:bb:cc:00:11", "aa:bb:cc:00:11:22:33", "aa:bb-cc:00:11:22", "gg:bb:cc:00:11:22"),
        *("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "aa:bb:cc:00:11:22\n", "ENCd2dbf9a1f1689ed0"),
        "aа:bb:cc:00:11:22",
    ],
)
def test_it_drops_what_is_no_device(text: str) -> None:
    assert reading.mac(text) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.5.50.2", "10.5.50.2"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:10.5.50.2", "10.5.50.2"),
        *(
            (text, "")
            for text in ("", "10.5.50", "10.5.50.02", "10.5.50.2/24", "10.5.50.2\n", "fe80::1%eth0", "١.2.3.4")
        ),
        *((text, "") for text in ("0.0.0.0", "127.0.0.1", "::", "::1", "224.0.0.1", "ff02::1", "::ffff:127.0.0.1")),
        ("1" * 5000, ""),
    ],
)
def test_it_reads_the_address_of_one_device(text: str, expected: str) -> None:
    assert reading.ip(text) == expected


@pytest.mark.parametrize("text", ["Lobby", "Café Wi-Fi", "Гости отеля", "a" * 32, "я" * 16, " Lobby"])
def test_it_reads_names_of_networks(text: str) -> None:
    assert reading.ssid(text) == text


@pytest.mark.parametrize("text", ["", "  ", "a" * 33, "я" * 17, "Lobby\n", "\x1b[31m", "Lobby\u202e", "\ud800", "\x00"])
def test_it_drops_names_that_are_too_long_or_unreadable(text: str) -> None:
    assert reading.ssid(text) == ""
