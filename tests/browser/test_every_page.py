"""Every page an administrator can open: it fits, reads well, complains of nothing, and hides nothing from anybody."""

from typing import Any

import pytest

from tests.browser.conftest import Open
from tests.browser.pages import KEY, PageOfPortal, every_page
from tests.browser.reading import NARROW, barriers, darken, foreign_words, overflow


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.name)
def test_the_page_is_fit_to_be_read(
    administrator: Open, rows: dict[str, Any], page: PageOfPortal, language: str
) -> None:
    visit = administrator(language)
    if not page.must_open:
        visit.watch.expected |= {403, 405}
    status = visit.go(page.address.replace(KEY, rows["keys"].get(page.model, "")))
    if status in visit.watch.expected:
        return
    assert status == 200
    visit.shoot(f"pages/{page.name}-{language}-1280")
    found = {
        "too wide at 1280": overflow(visit.page),
        "untranslated": foreign_words(visit.page, language, rows["words"]),
        "barriers in the light": barriers(visit.page),
    }
    visit.page.set_viewport_size(NARROW)
    darken(visit.page)
    visit.shoot(f"pages/{page.name}-{language}-390")
    found |= {"too wide at 390": overflow(visit.page), "barriers in the dark": barriers(visit.page)}
    faults = [f"{what}: {fault}" for what, faults in found.items() for fault in faults]
    assert not faults, "\n".join(faults)
