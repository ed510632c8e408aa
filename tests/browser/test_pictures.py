"""The pictures in the documents can be taken, and are small: whoever clones the repository pays for every one."""

import re
from base64 import b64encode
from pathlib import Path

from playwright.sync_api import ViewportSize

from tests.browser.beside import MAY_CALL_SIMULATORS, targetsms
from tests.browser.conftest import Open, Visit, await_delivery, installed, sign_in
from tests.browser.reading import WIDE
from tests.browser.screenshots import CHOSEN, LARGEST, SCREENSHOTS
from tests.services.stack import ADMIN_PASSWORD, Portal
from tests.waiting import wait_for

LOW: ViewportSize = {"width": 1280, "height": 600}
TELEPHONE: ViewportSize = {"width": 360, "height": 640}
#: Around pictures that stand side by side.
GAP = 16
SIDE_BY_SIDE = """
    body { margin: 0; padding: 16px; display: flex; gap: 16px; background: #c9d1dc }
    img { border-radius: 12px }
"""
#: What the guest types, in that portal's environment.
CODE_SENT = "__import__('guests.models').models.Code.objects.latest('pk').kept"
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
        _guest_registers(portal, opened(portal))
    sizes = {name: (SCREENSHOTS / f"{name}.png").stat().st_size for name in CHOSEN}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}


def _guest_registers(portal: Portal, visit: Visit) -> None:
    """The three pages of a guest on a telephone, side by side in one picture."""
    page, shown = visit.page, []
    page.set_viewport_size(TELEPHONE)
    visit.go("/guest/")
    page.get_by_text("Checked: you are no robot.").wait_for()
    page.fill("#id_phone", "8 916 555-12-34")
    shown.append(page.screenshot())
    page.click("button.main")
    page.wait_for_selector("#id_code")
    code = wait_for(lambda: portal.look(CODE_SENT), "the code was made")
    page.fill("#id_code", code)
    page.get_by_text(re.compile(r"The SMS (was sent|arrived) at")).wait_for()
    shown.append(page.screenshot())
    page.click("button.main")
    page.wait_for_url("**/guest/online/")
    shown.append(page.screenshot())
    _side_by_side(visit, shown)


def _side_by_side(visit: Visit, pictures: list[bytes]) -> None:
    """Drawn by the browser, on a page that is nobody's."""
    drawn = "".join(f'<img alt="" src="data:image/png;base64,{b64encode(one).decode()}">' for one in pictures)
    visit.page.goto("about:blank")
    width, height = (TELEPHONE["width"] + GAP) * len(pictures) + GAP, TELEPHONE["height"] + 2 * GAP
    visit.page.set_viewport_size({"width": width, "height": height})
    visit.page.set_content(f"<style>{SIDE_BY_SIDE}</style>{drawn}")
    visit.shoot("p-guest")
