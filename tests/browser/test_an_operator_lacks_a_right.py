"""Somebody may not send: the button is absent and the way around it is closed. An administrator mends that."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Open, Visit, await_delivery, installed, sign_in
from tests.services.stack import ADMIN_PASSWORD, Portal

PASSWORD = "canary-operator-5NvKx7"
SEND = "main a[href$='/act/send_test/']"
#: An operator but for one right.
OPERATOR = f"""(
    lambda user, rights: (user.user_permissions.set(rights), user.pk)[1]
)(
    User.objects.create_user('olga', password='{PASSWORD}', is_staff=True),
    User.user_permissions.field.related_model.objects.filter(
        codename__in=['SMS_GATEWAY_READ', 'SMS_SEND_METHOD_AVAILABLE', 'MESSAGES_READ']
    ),
)"""
GATEWAY = "Gateway.objects.filter(name='sandbox').update(test_number='+79161234567') and Gateway.objects.get().pk"


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal that the story may change."""
    with installed(tmp_path_factory.mktemp("operator")) as found:
        yield found


def post_past_the_page(visit: Visit, gateway: int) -> Any:
    """What the button would have sent, by somebody who knows the address."""
    visit.watch.expected.add(403)
    with visit.page.expect_navigation() as answered:
        visit.page.evaluate(
            """key => {
                const form = document.createElement('form');
                form.method = 'post';
                form.action = `/admin/gateways/gateway/${key}/act/send_test/`;
                const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
                for (const [name, value] of [['csrfmiddlewaretoken', token], ['answered', '1']]) {
                    const field = document.createElement('input');
                    [field.name, field.value] = [name, value];
                    form.append(field);
                }
                document.body.append(form);
                form.submit();
            }""",
            gateway,
        )
    visit.watch.expected.clear()
    return answered.value.status


def test_a_right_that_is_missing_is_named_and_given(own: Portal, opened: Open) -> None:
    operator_key, gateway = own.look(OPERATOR), own.look(GATEWAY)
    operator, administrator = opened(own), opened(own)
    page = f"/admin/gateways/gateway/{gateway}/change/"

    sign_in(operator, "olga", PASSWORD)
    assert operator.go(page) == 200
    assert operator.page.locator(SEND).count() == 0
    operator.shoot("c1-no-button")
    assert post_past_the_page(operator, gateway) == 403
    assert "SYSTEM_CREATE" in operator.page.inner_text("main")
    operator.shoot("c2-the-right-is-named")
    assert own.look("Message.objects.count()") == 0

    sign_in(administrator, "admin", ADMIN_PASSWORD)
    administrator.go(f"/admin/portal/user/{operator_key}/change/")
    administrator.page.get_by_label("SMS operator", exact=True).check()
    administrator.shoot("c3-the-role-is-given")
    administrator.page.click("[name=_save]")
    administrator.page.wait_for_url("**/admin/portal/user/")

    operator.go(page)
    operator.shoot("c4-the-button-is-there")
    operator.page.click(SEND)
    operator.page.get_by_role("button", name="Send", exact=True).click()
    operator.page.get_by_role("link", name="See what becomes of it").click()
    operator.page.wait_for_url("**/admin/messaging/message/*/change/")
    await_delivery(operator)
    operator.shoot("c5-the-test-is-delivered")
