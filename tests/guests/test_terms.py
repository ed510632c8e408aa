"""Terms: drafts are written, published versions stay as they are."""

import hashlib
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from guests import terms
from guests.models import Terms
from portal.errors import Refusal, Why
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(db: None) -> Terms:
    """What guests agree to now."""
    made = terms.draft("en", "Be kind.")
    terms.publish(made)
    return made


@pytest.fixture
def browser(admin: User) -> Client:
    """The administrator's."""
    return signed_in(admin)


def conflict(act: Any, *args: Any) -> None:
    """It is refused as a conflict."""
    with pytest.raises(Refusal) as refused:
        act(*args)
    assert refused.value.why is Why.CONFLICT


def test_versions_are_counted_in_each_language() -> None:
    for number in (1, 2):
        made = terms.draft("en", f"Text {number}")
        terms.publish(made)
        assert made.version == number
    assert terms.draft("ru", "Текст").version == 1


def test_the_digest_proves_the_text_as_it_is_kept() -> None:
    made = Terms.objects.get(pk=terms.draft("en", "  Be kind.  \r\nAlways.\n\n").pk)
    assert made.text == "Be kind.\nAlways."
    assert made.digest == hashlib.sha256(b"Be kind.\nAlways.").hexdigest()
    terms.rewrite(made, "Be kinder.")
    made.refresh_from_db()
    assert made.digest == hashlib.sha256(b"Be kinder.").hexdigest()


def test_the_latest_published_version_counts(published: Terms) -> None:
    draft = terms.next_version(published)
    assert terms.current("en") == published
    terms.publish(draft)
    assert terms.current("en") == draft
    assert terms.current("ru") is None


def test_nothing_happens_to_a_published_version(published: Terms) -> None:
    conflict(terms.rewrite, published, "Other")
    conflict(terms.publish, published)
    conflict(terms.delete, published)
    kept = Terms.objects.get()
    assert (kept.text, kept.published_at) == ("Be kind.", published.published_at)


def test_a_language_has_one_draft(published: Terms) -> None:
    draft = terms.next_version(published)
    conflict(terms.next_version, published)
    with pytest.raises(IntegrityError):
        Terms.objects.create(language="en", version=9, text="x", digest="x")
    assert draft.text == published.text


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        terms.draft("en", text)
    assert refused.value.field == "text"


class TestPages:
    def test_a_draft_is_written_previewed_and_published(self, browser: Client) -> None:
        assert browser.post(page(Terms, "add"), {"language": "en", "text": "Be <b>kind</b>."}).status_code == 302
        made = Terms.objects.get()
        preview = browser.get(reverse("admin:guests_terms_preview", args=(made.pk,)))
        assert "Be &lt;b&gt;kind&lt;/b&gt;." in preview.content.decode()
        publish = reverse("admin:guests_terms_publish", args=(made.pk,))
        assert browser.get(publish).status_code == 200
        assert terms.current("en") is None, "to ask publishes nothing"
        assert browser.post(publish).status_code == 302
        assert terms.current("en") == made
        assert AuditEvent.objects.filter(
            action="admin:guests_terms_publish", status=200, object_id="English 1"
        ).exists()

    def test_a_published_version_can_be_read_and_copied_only(self, browser: Client, published: Terms) -> None:
        address = page(Terms, "change", published.pk)
        html = browser.get(address).content.decode()
        assert "Be kind." in html
        assert "<textarea" not in html
        assert browser.post(address, {"text": "Other"}).status_code == 403
        assert browser.get(page(Terms, "delete", published.pk)).status_code == 403
        response = browser.post(reverse("admin:guests_terms_next", args=(published.pk,)))
        draft = Terms.objects.get(version=2)
        assert response.headers["Location"] == page(Terms, "change", draft.pk)
        browser.post(page(Terms, "change", draft.pk), {"text": "Be kinder."})
        assert set(Terms.objects.values_list("text", flat=True)) == {"Be kind.", "Be kinder."}

    def test_a_second_draft_is_refused_in_a_sentence(self, browser: Client, published: Terms) -> None:
        terms.next_version(published)
        address = reverse("admin:guests_terms_next", args=(published.pk,))
        html = browser.post(address, follow=True).content.decode()
        assert Terms.objects.count() == 2
        assert "There is a draft in this language already" in html or "черновик" in html

    @pytest.mark.parametrize(("name", "needed"), [("publish", "SYSTEM_UPDATE"), ("next", "SYSTEM_CREATE")])
    def test_each_step_asks_for_its_right(self, published: Terms, name: str, needed: str) -> None:
        client = signed_in(staff_with("clerk", Right.SYSTEM_READ))
        assert client.post(reverse(f"admin:guests_terms_{name}", args=(published.pk,))).status_code == 403
        assert Terms.objects.count() == 1
        assert AuditEvent.objects.get().status == 403
