"""How tests visit the pages of OAuth2 clients."""

import re
from typing import Any

from django.urls import reverse

from portal.models import OAuthClient, User
from tests.portal.admin_pages import page

LIST, ADD = page(OAuthClient, "changelist"), page(OAuthClient, "add")
SECRET = re.compile(r'<code id="client-secret">([A-Za-z0-9]{128})</code>')


def form(user: User | None, **given: Any) -> dict[str, Any]:
    """What the form of a new client sends."""
    return {"user": user.pk if user else "", "name": "the booking system"} | given


def shown(html: str) -> str:
    """The secret that a page shows this once."""
    found = SECRET.search(html)
    assert found
    return found[1]


def another(client: OAuthClient) -> str:
    """The page that gives it another secret."""
    return reverse("admin:portal_oauthclient_secret", args=(client.pk,))
