"""A portal's first morning: a second factor is set up, a provider is added and checked, and a test arrives."""

from collections.abc import Iterator

import pytest

from tests.browser.beside import MAY_CALL_SIMULATORS, code_now, targetsms
from tests.browser.conftest import Open, Visit, await_delivery, give_password, installed
from tests.services.stack import ADMIN_PASSWORD, Portal

PHONE = "+7 916 123-45-67"


@pytest.fixture
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal that others may reach, so that a password is not enough; nobody has signed in yet."""
    with installed(tmp_path_factory.mktemp("new"), ADMIN_2FA="required", **MAY_CALL_SIMULATORS) as found:
        yield found


def test_a_provider_is_set_up_and_a_test_arrives(new: Portal, opened: Open) -> None:
    visit = opened(new)
    give_password(visit, "admin", ADMIN_PASSWORD)
    set_up_an_app(visit)
    with targetsms() as (simulator, settings):
        add_gateway(visit, settings)
        check_connection(visit)
        send_a_test(visit)
        await_delivery(visit)
        visit.shoot("a5-the-test-is-delivered")
        assert [taken.phone for taken in simulator.taken] == ["+79161234567"]
    assert "TargetSMS" in visit.page.inner_text(".timeline")


def set_up_an_app(visit: Visit) -> None:
    """The key is typed into an app on a telephone; the codes for the day without it are kept."""
    page = visit.page
    page.wait_for_selector("#app-form")
    visit.inspect("a1-a-second-factor")
    page.fill("#id_code", code_now(page.inner_text(".sign-in-steps code")))
    page.get_by_role("button", name="Set up", exact=True).click()
    page.wait_for_url("**/admin/sign-in/recovery-codes/**")
    page.get_by_role("button", name="Make recovery codes").click()
    page.wait_for_selector("[data-recovery-codes] li:nth-child(10)")
    assert page.locator("[data-recovery-codes] li").count() == 10
    visit.inspect("a2-recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url("**/admin/")


def add_gateway(visit: Visit, settings: dict[str, str]) -> None:
    """By the provider's own form."""
    page = visit.page
    visit.go("/admin/gateways/gateway/add/")
    page.get_by_role("link", name="TargetSMS").first.click()
    page.fill("#id_name", "TargetSMS")
    page.fill("#id_sender", "Hotel")
    page.fill("#id_test_number", PHONE)
    for name, value in settings.items():
        page.fill(f"[name='settings.{name}']", value)
    page.click("[name=_continue]")
    page.wait_for_url("**/admin/gateways/gateway/*/change/**")


def check_connection(visit: Visit) -> None:
    """The provider is asked something that sends nothing."""
    visit.page.get_by_role("button", name="Check the connection").click()
    says = visit.page.get_by_text("Gateway “TargetSMS”: ").inner_text()
    assert "What to do" not in says
    visit.shoot("a3-the-connection-is-checked")


def send_a_test(visit: Visit) -> None:
    """To the gateway's test number."""
    page = visit.page
    page.get_by_role("link", name="Send a test").click()
    page.get_by_role("button", name="Send", exact=True).wait_for()
    visit.inspect("a4-a-test")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("link", name="See what becomes of it").click()
    page.wait_for_url("**/admin/messaging/message/*/change/")
