"""The menu of the account, by keyboard: the language and the look are the reader's own choice."""

from tests.browser.conftest import Open, Visit, sign_in
from tests.services.stack import ADMIN_PASSWORD, Portal

#: With the state that its script writes there: before that it opens nothing.
MENU = "button[aria-controls=account-menu][aria-expanded]"


def in_menu(visit: Visit, name: str) -> None:
    """Opens the menu and presses a button in it, without a mouse."""
    visit.page.focus(MENU)
    visit.page.keyboard.press("Enter")
    button = visit.page.locator("#account-menu").get_by_role("button", name=name)
    button.wait_for(state="visible")
    button.focus()
    visit.page.keyboard.press("Enter")


def test_a_reader_chooses_language_and_look(portal: Portal, opened: Open) -> None:
    # The choice is kept for the user, so it must be nobody's whom other tests sign in as.
    portal.look(f"User.objects.create_superuser('reader', password={ADMIN_PASSWORD!r}).pk")
    visit = opened(portal, "en")
    sign_in(visit, "reader", ADMIN_PASSWORD)
    visit.go("/admin/guests/guest/?q=bob")
    in_menu(visit, "Русский")
    visit.page.wait_for_selector("html[lang=ru]")
    assert visit.page.url.endswith("/admin/guests/guest/?q=bob")
    in_menu(visit, "Тёмное")
    visit.page.wait_for_selector("html.dark")
    visit.go("/admin/gateways/gateway/")
    visit.page.wait_for_selector("html[lang=ru].dark")
    visit.shoot("menu-russian-and-dark")


def test_the_navigation_can_be_skipped_and_opened_by_keyboard(portal: Portal, opened: Open) -> None:
    visit = opened(portal, "en")
    sign_in(visit, "admin", ADMIN_PASSWORD)
    visit.page.keyboard.press("Tab")
    assert visit.page.locator(":focus").inner_text() == "Skip to main content"
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("#content:focus")
    visit.page.set_viewport_size({"width": 390, "height": 844})
    opener = visit.page.get_by_role("button", name="Show or hide the navigation")
    opener.focus()
    visit.page.keyboard.press("Enter")
    gateways = visit.page.locator("#nav-sidebar").get_by_role("link", name="Gateways", exact=True)
    gateways.wait_for(state="visible")
    visit.shoot("menu-on-a-telephone")
    visit.page.get_by_role("button", name="Close the navigation").click()
    gateways.wait_for(state="hidden")
