"""The pictures in the documents can be taken, and are small: whoever clones the repository pays for every one."""

from pathlib import Path

from playwright.sync_api import ViewportSize

from tests.browser.beside import MAY_CALL_SIMULATORS, targetsms
from tests.browser.conftest import Open, await_delivery, installed, sign_in
from tests.browser.reading import WIDE
from tests.browser.screenshots import CHOSEN, LARGEST, SCREENSHOTS
from tests.services.stack import ADMIN_PASSWORD

LOW: ViewportSize = {"width": 1280, "height": 600}
TEXT = "Hotel Baltika: breakfast is served until 11 tomorrow. Wi-Fi stays free for you all week."


def test_the_pictures_of_the_documents_are_small(tmp_path: Path, opened: Open) -> None:
    with installed(tmp_path, **MAY_CALL_SIMULATORS) as portal, targetsms() as (_simulator, settings):
        made = portal.look(f"__import__('tests.browser.seeded', fromlist=['make']).make({settings!r})")
        visit = opened(portal)
        page = visit.page
        sign_in(visit, "admin", ADMIN_PASSWORD)

        visit.go(f"/admin/messaging/message/{made['message']}/change/")
        await_delivery(visit)
        visit.shoot("p-message")

        visit.go(f"/admin/gateways/gateway/{made['gateway']}/change/")
        page.get_by_role("button", name="Check the connection").click()
        page.get_by_text("Gateway “TargetSMS”: ").wait_for()
        visit.shoot("p-gateway")

        visit.go("/admin/messages/write/")
        page.fill("[name=numbers]", "+7 916 123-45-67\n8 (903) 555-12-34")
        page.fill("[name=text]", TEXT)
        page.select_option("[name=gateway]", label="TargetSMS")
        page.evaluate("document.activeElement.blur()")
        page.wait_for_function("text => document.body.innerText.includes(text)", arg=TEXT)
        visit.shoot("p-write")

        for name, address in (
            ("p-dashboard", "/admin/"),
            ("p-defender", "/admin/portal/watchedhost/"),
            ("p-guests", "/admin/guests/guest/"),
        ):
            visit.go(address)
            # So many letters make a large picture; the list ends higher up.
            page.set_viewport_size(LOW if name == "p-guests" else WIDE)
            visit.shoot(name)
    sizes = {name: (SCREENSHOTS / f"{name}.png").stat().st_size for name in CHOSEN}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
