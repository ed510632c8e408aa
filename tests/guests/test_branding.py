"""The look of the guest pages: names, words, colours that can be read, and the logo; and what a page weighs."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from gateways.models import Gateway
from guests.look import branding
from guests.models import Branding
from tests.guests.lobby import CODE, WELCOME, begin, browser, set_rules, text_of

PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
LARGEST = 50_000


def contrast(one: str, other: str) -> float:
    light, dark = sorted((branding.luminance(one), branding.luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", ["000000", "ffffff", "767676", "777777", "0b5a8c", "ffcc00", "ff0000", "00aa55"])
def test_text_on_any_colour_can_be_read(colour: str) -> None:
    found = re.search(r"--brand-on-accent:#([0-9a-f]{6})", branding.style_of(colour, "ffffff"))
    assert found
    assert contrast(colour, found[1]) >= 4.5


def test_until_somebody_says_so_the_look_is_plain(db: None) -> None:
    look = branding.look_of(branding.current(), "en")
    assert (look.name, look.greeting, look.logo) == ("Guest Wi-Fi", "Welcome", "")


def test_words_are_in_the_readers_language(db: None) -> None:
    Branding.objects.create(pk=1, name="Hotel Baltika", greeting={"en": "Good day"}, help_text={"ru": "Звоните 100"})
    english, russian = text_of(browser("en").get(WELCOME)), text_of(browser("ru").get(WELCOME))
    assert "Hotel Baltika" in english
    assert "Good day" in english
    assert "Звоните 100" in russian
    assert "Звоните" not in english


def test_an_unsaved_row_can_be_looked_at_with_its_logo() -> None:
    row = Branding(name="<b>New</b>", logo=PICTURE, logo_type="image/png", colour="#FFCC00", ground="nonsense")
    look = branding.look_of(row, "ru", logo_inside=True)
    assert look.logo.startswith("data:image/png;base64,")
    assert "ffcc00-f4f6f8.css" in look.stylesheet


def test_the_stylesheet_has_its_colours_in_its_address_and_is_kept_for_good(db: None) -> None:
    look = branding.look_of(Branding(colour="#ffcc00"), "en")
    answer = browser().get(look.stylesheet)
    assert answer.content.decode().startswith(":root{--brand-accent:#ffcc00;--brand-on-accent:#000000;")
    assert answer["Content-Type"].startswith("text/css")
    assert "immutable" in answer["Cache-Control"]
    assert browser().get("/guest/look/ffcc00-red.css").status_code == 404


def test_the_logo_is_kept_by_its_content(db: None) -> None:
    Branding.objects.create(pk=1, logo=PICTURE, logo_type="image/png")
    address = branding.look_of(branding.current(), "en").logo
    answer = browser().get(address)
    assert answer.content == PICTURE
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "max-age=31536000" in answer["Cache-Control"]
    assert f'src="{address}"' in text_of(browser().get(WELCOME))
    assert browser().get("/guest/logo/0123456789abcdef").status_code == 404


def test_what_is_no_picture_is_not_given_out(db: None) -> None:
    Branding.objects.create(pk=1, logo=b"<script>", logo_type="text/html")
    assert branding.look_of(branding.current(), "en").logo == ""


@pytest.mark.parametrize("path", [WELCOME, CODE])
def test_a_page_and_all_it_loads_are_light(sandbox: Gateway, path: str) -> None:
    client = browser()
    set_rules()
    begin(client)
    set_rules(captcha=True)
    page = client.get(path).content.decode()
    loaded = re.findall(r'(?:src|href|data-worker)="(/(?:static/|guest/look/)[^"]+)"', page)
    assert len(loaded) >= 3
    parts = [page.encode(), *(_content(client, address) for address in loaded)]
    compressed = sum(len(gzip.compress(part)) for part in parts)
    print(f"{path}: {compressed} bytes compressed, {sum(map(len, parts))} as they are")
    assert compressed < LARGEST


def _content(client: Client, address: str) -> bytes:
    if address.startswith("/static/"):
        found = finders.find(address.removeprefix("/static/"))
        assert found, address
        return Path(str(found)).read_bytes()
    return client.get(address).content
