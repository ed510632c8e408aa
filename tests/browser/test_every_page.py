"""Every page an administrator can open: it fits, reads well, complains of nothing, and hides nothing from anybody."""

from typing import Any

import pytest

from tests.browser.conftest import Open
from tests.browser.pages import KEY, PageOfPortal, every_page
from tests.browser.reading import NARROW, barriers, darken, foreign_words, overflow
from tests.services.stack import Portal

#: Whoever is signed in already is sent on from here.
FOR_STRANGERS = {"login"}
#: The API's document is in the language of its readers' code.
SPOKEN = {"api-docs": "en"}
#: Barriers hardly depend on the language, and searching for them is what takes the time.
SEARCHED = "en"
#: One of each kind is searched on a telephone in the dark as well.
IN_THE_DARK = {
    *("index", "system", "own_sign_in", "login", "app_list", "portal_role_changelist", "portal_watchedhost_changelist"),
    *("messages.write", "messaging_message_changelist", "messaging_message_change", "messaging_batch_change"),
    *("messaging_webhook_changelist", "messaging_webhook_change", "messaging_webhookdelivery_change"),
    *("gateways_gateway_changelist", "gateways_gateway_add", "gateways_gateway_change"),
    *("guests_guest_changelist", "guests_guest_change", "guests_guest_add", "portal_user_change"),
    *("guests_registrationrules_changelist", "guests_branding_changelist", "guests_limitcount_changelist"),
    *("portal_apikey_changelist", "portal_apikey_add"),
    *("guests_registration_changelist", "guests_registration_change", "guests_approval_changelist"),
}


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.name)
def test_the_page_is_fit_to_be_read(
    administrator: Open, opened: Open, portal: Portal, rows: dict[str, Any], page: PageOfPortal, language: str
) -> None:
    visit = opened(portal, language) if page.name in FOR_STRANGERS else administrator(language)
    if not page.must_open:
        visit.watch.expected |= {403, 405}
    status = visit.go(page.address.replace(KEY, rows["keys"].get(page.model, "")))
    if status in visit.watch.expected:
        return
    assert status == 200
    spoken = SPOKEN.get(page.name, language)
    assert visit.page.get_attribute("html", "lang") == spoken
    found = {
        "too wide at 1280": overflow(visit.page),
        "untranslated": foreign_words(visit.page, spoken, rows["words"]),
        "barriers in the light": barriers(visit.page) if language == SEARCHED else [],
    }
    visit.page.set_viewport_size(NARROW)
    found |= {"too wide at 390": overflow(visit.page)}
    if language == SEARCHED and page.name in IN_THE_DARK:
        darken(visit.page)
        found |= {"barriers in the dark": barriers(visit.page)}
    faults = [f"{what}: {fault}" for what, faults in found.items() for fault in faults]
    if faults:
        visit.shoot(f"faults/{page.name}-{language}", whole=True)
    assert not faults, "\n".join(faults)
