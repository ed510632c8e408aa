"""Passkeys in a real browser, with the authenticator Chromium has for tests: one is set up, and opens the portal."""

from pathlib import Path

from playwright.sync_api import Page

from tests.browser.conftest import Open, installed, sign_in
from tests.services.stack import ADMIN_PASSWORD

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_authenticator(page: Page) -> None:
    """A phone or laptop that unlocks by itself."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def test_a_passkey_is_set_up_and_then_opens_the_portal_by_itself(tmp_path: Path, opened: Open) -> None:
    with installed(tmp_path) as portal:
        # An IP address is no name to which a passkey could belong.
        portal.address = portal.address.replace("127.0.0.1", "localhost")
        visit = opened(portal)
        page = visit.page
        with_authenticator(page)
        sign_in(visit, "admin", ADMIN_PASSWORD)
        visit.go("/admin/sign-in/passkey/")
        page.fill("#passkey-name", "Laptop")
        page.click("[data-passkey=register]")
        page.wait_for_url("**/admin/sign-in/recovery-codes/")
        page.click("main form button[type=submit]")
        page.wait_for_selector("[data-recovery-codes] li:nth-child(10)")
        assert page.locator("[data-recovery-codes] li").count() == 10
        visit.go("/admin/sign-in/")
        assert "Laptop" in page.inner_text("#content")
        visit.shoot("your-sign-in")
        page.context.clear_cookies()
        visit.go("/admin/login/?next=/admin/sign-in/")
        page.click("[data-passkey=use]")
        page.wait_for_url(f"{portal.address}/admin/sign-in/")
        assert "Laptop" in page.inner_text("#content")
