"""An OAuth2 client in the browser: made for less than all that its user may do, its secret shown once, and narrowed."""

import re

from tests.browser.conftest import Open, sign_in
from tests.browser.reading import NARROW, WIDE, barriers, overflow
from tests.services.stack import ADMIN_PASSWORD, Portal


def test_a_client_is_made_narrow_and_narrowed_further(portal: Portal, opened: Open) -> None:
    visit = opened(portal, "en")
    sign_in(visit, "admin", ADMIN_PASSWORD)
    visit.go("/admin/portal/oauthclient/add/")
    page = visit.page
    page.get_by_label("Name").fill("the booking system")
    page.get_by_label("Acts as").select_option("admin")
    page.get_by_label("System - Create").check()
    page.get_by_label("Networks").fill("192.168.10.0/24")
    page.get_by_role("button", name="Save").click()
    secret = page.locator("#client-secret").inner_text()
    assert re.fullmatch(r"[A-Za-z0-9]{128}", secret)
    page.get_by_role("link", name="I have kept it").click()
    page.wait_for_url("**/admin/portal/oauthclient/")
    assert secret not in page.content()
    page.get_by_role("link", name="the booking system").first.click()
    assert page.get_by_label("System - Create").is_checked()
    assert page.get_by_label("Networks").input_value() == "192.168.10.0/24"
    assert barriers(page) == overflow(page) == []
    page.set_viewport_size(NARROW)
    assert overflow(page) == []
    visit.shoot("oauth-client-on-a-telephone")
    page.set_viewport_size(WIDE)
    page.get_by_label("sandbox").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    row = page.get_by_role("row").filter(has_text="the booking system")
    row.get_by_text("192.168.10.0/24").wait_for()
    row.get_by_text("System - Create").wait_for()
