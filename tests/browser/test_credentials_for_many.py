"""Two hundred guests come in from a faulty file and get their credentials; one does not, and the portal says why."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Open, Visit, await_delivery, installed, let_confirmation_lapse, sign_in
from tests.guests.test_importing import FAULTS, two_hundred
from tests.services.stack import ADMIN_PASSWORD, Portal

GUESTS = 200
#: The sandbox refuses this phone; whoever typed it meant the other one.
REFUSED, MEANT = "+79990000003", "+79161112233"
#: The one among them whose phone was mistyped.
MISTYPED = "guest117"


@pytest.fixture
def hotel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal before the guests come."""
    with installed(tmp_path_factory.mktemp("hotel")) as found:
        yield found


def test_all_get_their_credentials_and_the_one_who_does_not_is_helped(hotel: Portal, opened: Open) -> None:
    visit = opened(hotel)
    sign_in(visit, "admin", ADMIN_PASSWORD)
    read_the_file(visit)
    mend_five_rows(visit)
    let_confirmation_lapse(visit)
    send_to_all(visit)
    watch_the_bar(visit)
    see_why_one_failed(visit)
    mend_the_phone(visit)
    send_once_more(visit)


def read_the_file(visit: Visit) -> None:
    """As a hotel's program wrote it; its columns are known by their headings."""
    page = visit.page
    right = next(line for line in two_hundred().splitlines() if line.startswith(f"{MISTYPED},"))
    text = two_hundred().replace(right, right.replace(right.split(",")[1], REFUSED))
    visit.go("/admin/guests/guest/import/")
    page.set_input_files("[type=file]", {"name": "hotel.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Read the file").click()
    page.wait_for_selector("text=Which column is what")
    visit.inspect("b01-columns")
    page.get_by_role("button", name="Check all rows").click()
    page.wait_for_selector("fieldset.import-row")


def mend_five_rows(visit: Visit) -> None:
    """Each beside what is wrong with it; then all come in."""
    page = visit.page
    assert page.locator("fieldset.import-row").count() == len(FAULTS)
    visit.inspect("b02-five-faulty-rows")
    for number, (field, _wrong, right) in FAULTS.items():
        page.fill(f"[name='_cell-{number}-{field}']", right)
    page.get_by_role("button", name="Check again").first.click()
    page.get_by_role("button", name=f"Import all {GUESTS} rows").click()
    page.wait_for_selector("text=Imported guests")
    visit.inspect("b03-imported")


def send_to_all(visit: Visit) -> None:
    """By the list's action; who is about to reach so many says once more who it is."""
    page = visit.page
    visit.go("/admin/guests/guest/")
    page.check("#action-toggle")
    page.get_by_role("link", name=f"Select all {GUESTS} guests").click()
    page.select_option("select[name=action]", "send_credentials")
    visit.inspect("b1-all-are-chosen")
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector(f"text={GUESTS} guests:")
    visit.inspect("b2-what-will-happen")
    page.get_by_role("button", name="Send credentials").click()
    page.fill("#confirm-form [type=password]", ADMIN_PASSWORD)
    visit.inspect("b3-who-is-it")
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/admin/messaging/batch/*/change/")


def watch_the_bar(visit: Visit) -> None:
    """Until nothing more will happen: the page itself says so."""
    visit.shoot("b4-under-way")
    visit.page.wait_for_selector("[data-batch][data-over]")
    assert visit.page.inner_text("[data-says]").startswith(f"{GUESTS} of {GUESTS} messages are done")
    assert visit.page.inner_text("[data-count=delivered]") == str(GUESTS - 1)
    assert visit.page.inner_text("[data-count=failed]") == "1"
    visit.inspect("b5-one-has-failed")


def see_why_one_failed(visit: Visit) -> None:
    """From the count to the list behind it, to the message, to its timeline."""
    page = visit.page
    page.locator("[data-batch]").get_by_role("link", name="Failed", exact=True).click()
    found = page.locator("#result_list tbody tr")
    found.first.wait_for()
    assert found.count() == 1
    assert MISTYPED in found.inner_text()
    found.locator("th a").click()
    page.wait_for_selector(".timeline")
    assert "the sandbox refuses this phone" in page.inner_text(".timeline")
    visit.inspect("b6-why")


def mend_the_phone(visit: Visit) -> None:
    """On the page of the guest."""
    page = visit.page
    visit.go(f"/admin/guests/guest/?q={MISTYPED}")
    page.locator("#result_list").get_by_role("link", name=MISTYPED).click()
    page.fill("#id_phone", MEANT)
    page.click("[name=_continue]")
    page.wait_for_selector("text=changed successfully")


def send_once_more(visit: Visit) -> None:
    """To the phone that was meant."""
    page = visit.page
    page.get_by_role("link", name="Send credentials").click()
    page.get_by_role("button", name="Send credentials").click()
    page.wait_for_selector(f"text={MEANT}")
    visit.go(f"/admin/messaging/message/?q={MEANT}")
    page.locator("#result_list tbody th a").first.click()
    await_delivery(visit)
    visit.go(f"/admin/guests/guest/?q={MISTYPED}")
    assert "delivered" in page.inner_text("#result_list tbody").lower()
    visit.shoot("b7-mended")
