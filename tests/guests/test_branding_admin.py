"""The look of the guest pages in the admin: colours, words, the logo, and the preview of what is not saved."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from guests.look import branding, logos
from guests.models import Branding
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.portal.admin_pages import signed_in, staff_with

pytestmark = pytest.mark.django_db

PAGE = "/admin/guests/branding/"
PREVIEW = f"{PAGE}preview/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def browser(admin: User) -> Client:
    """The administrator's."""
    return signed_in(admin)


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> bytes:
    """One that decodes."""
    made = BytesIO()
    Image.new("RGB", size, "#0b5a8c").save(made, kind)
    return made.getvalue()


def said(logo: bytes | None = None, **changed: str) -> dict[str, Any]:
    """The form filled in."""
    words = {"name": "Hotel Aurora", "colour": "#0b5a8c", "ground": "#f4f6f8", "greeting_en": "Welcome to Aurora"}
    return {**words, **changed, **({"logo_file": SimpleUploadedFile("logo.png", logo)} if logo is not None else {})}


def test_what_is_said_is_what_guests_see(browser: Client) -> None:
    assert browser.post(PAGE, said(help_text_ru="Спросите у стойки", colour="#005500")).status_code == 302
    row = branding.current()
    assert (row.name, row.colour, row.greeting) == ("Hotel Aurora", "#005500", {"en": "Welcome to Aurora"})
    guests = Client(headers={"accept-language": "en"}).get("/guest/").content.decode()
    assert "Welcome to Aurora" in guests
    assert "Hotel Aurora" in guests
    changes = AuditEvent.objects.get(action="admin:guests_branding_change").changes
    assert changes["colour"] == ["#0b5a8c", "#005500"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_kept_and_can_be_removed(browser: Client, kind: str) -> None:
    given = picture(kind)
    assert browser.post(PAGE, said(given)).status_code == 302
    assert (bytes(branding.current().logo), branding.current().logo_type) == (given, f"image/{kind.lower()}")
    browser.post(PAGE, said(name="Other"))
    assert bytes(branding.current().logo) == given, "who changes the name keeps the logo"
    browser.post(PAGE, said(remove_logo="on"))
    assert (bytes(branding.current().logo), branding.current().logo_type) == (b"", "")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (SVG, "This is no PNG, JPEG or WebP picture"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "This is no PNG, JPEG or WebP picture"),
        (picture()[:-30], "This picture is damaged"),
        (picture("GIF"), "This is no PNG, JPEG or WebP picture"),
        (picture(size=(1201, 10)), "This picture has 1201 × 10 pixels: make it 1200 wide and high at most."),
        (picture() + bytes(logos.LARGEST), "This picture has 21 KB, and 20 are allowed"),
    ],
    ids=["svg", "only begins as one", "broken off", "gif", "too wide", "too large"],
)
def test_a_picture_that_cannot_be_a_logo_is_refused_at_its_field(browser: Client, given: bytes, sentence: str) -> None:
    response = browser.post(PAGE, said(given))
    assert sentence in str(response.context["adminform"].form.errors["logo_file"])
    assert not branding.current().logo
    assert sentence in browser.post(PREVIEW, said(given) | {"preview": "en"}).content.decode()


def test_colours_are_written_as_browsers_do(browser: Client) -> None:
    response = browser.post(PAGE, said(colour="red"))
    assert "Write a colour like #1f5fa8." in str(response.context["adminform"].form.errors["colour"])


def test_a_colour_that_is_hardly_seen_is_warned_about(browser: Client) -> None:
    browser.post(PAGE, said(colour="#ffffcc"))
    assert "choose a darker colour" in browser.get(PAGE).content.decode()
    browser.post(PAGE, said(colour="#0b5a8c"))
    assert "choose a darker colour" not in browser.get(PAGE).content.decode()


def test_a_text_that_is_too_long_is_said_at_its_own_field(browser: Client) -> None:
    response = browser.post(PAGE, said(greeting_ru="а" * 1001))
    assert "Write 1000 characters at most." in str(response.context["adminform"].form.errors["greeting_ru"])


class TestPreview:
    def test_it_shows_what_is_not_saved_in_the_language_of_the_button(self, browser: Client) -> None:
        browser.post(PAGE, said())
        words = said(picture(), greeting_en="Not saved", greeting_ru="Не сохранено", colour="#123456")
        html = browser.post(PREVIEW, words | {"preview": "ru"}).content.decode()
        assert "Не сохранено" in html
        assert "Not saved" not in html
        assert '<html lang="ru">' in html
        assert "123456" in html
        assert "data:image/png;base64," in html
        assert branding.current().greeting == {"en": "Welcome to Aurora"}
        assert not branding.current().logo

    def test_what_is_on_the_page_that_is_shown_leads_back_to_the_form(self, browser: Client) -> None:
        assert browser.post(PREVIEW, {"phone": "+79161234567"}).headers["Location"] == PAGE
        assert browser.get(PREVIEW).headers["Location"] == PAGE

    def test_it_is_for_those_who_may_change_the_look(self, db: None) -> None:
        client = signed_in(staff_with("clerk", Right.SYSTEM_READ))
        response = client.post(PREVIEW, said() | {"preview": "en"})
        assert response.status_code == 403
        assert "SYSTEM_UPDATE" in response.content.decode()
        assert "formaction" not in client.get(PAGE).content.decode()


def test_looking_writes_nothing(browser: Client) -> None:
    browser.get(PAGE)
    browser.post(PREVIEW, said() | {"preview": "en"})
    assert not Branding.objects.exists()
