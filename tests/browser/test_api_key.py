"""An API key in the browser: made by a form, shown once, copied, and revoked."""

import re

from tests.browser.conftest import Open, sign_in
from tests.browser.reading import NARROW, barriers, overflow
from tests.services.stack import ADMIN_PASSWORD, Portal


def test_a_key_is_made_shown_once_and_revoked(portal: Portal, opened: Open) -> None:
    visit = opened(portal, "en")
    sign_in(visit, "admin", ADMIN_PASSWORD)
    visit.go("/admin/portal/apikey/add/")
    page = visit.page
    page.get_by_label("Name").fill("the booking system")
    page.get_by_label("System - Create").check()
    page.get_by_label("Networks").fill("192.168.10.0/24")
    page.get_by_role("button", name="Save").click()
    key = page.locator("#api-key").inner_text()
    assert re.fullmatch(r"gsp_[\w-]{43}", key)
    page.get_by_role("button", name="Copy").wait_for()
    assert barriers(page) == overflow(page) == []
    page.set_viewport_size(NARROW)
    assert overflow(page) == []
    visit.shoot("api-key-on-a-telephone")
    page.get_by_role("link", name="I have kept it").click()
    page.wait_for_url("**/admin/portal/apikey/")
    assert key not in page.content()
    page.get_by_role("link", name="the booking system").first.click()
    page.wait_for_url("**/admin/portal/apikey/*/change/**")
    assert key not in page.content()
    page.get_by_role("button", name="Revoke this key").click()
    page.get_by_text("“the booking system” was revoked.").wait_for()
    assert page.get_by_role("button", name="Revoke this key").count() == 0
