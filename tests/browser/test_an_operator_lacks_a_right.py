"""Somebody may not send: the button is absent and the way around it is closed. An administrator mends that."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Open, Visit, installed, sign_in
from tests.services.stack import ADMIN_PASSWORD, Portal, wait_for

PASSWORD = "canary-operator-5NvKx7"
SEND = "button[name=action][value=send_test]"
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
                form.action = '/admin/gateways/gateway/';
                const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
                for (const [name, value] of [['csrfmiddlewaretoken', token], ['action', 'send_test'],
                                             ['_selected_action', key]]) {
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
    administrator.page.select_option("#id_groups_from", label="SMS operator")
    administrator.page.click("#id_groups_add")
    administrator.shoot("c3-the-role-is-given")
    administrator.page.click("[name=_save]")
    administrator.page.wait_for_url("**/admin/portal/user/")

    operator.go(page)
    operator.shoot("c4-the-button-is-there")
    operator.page.click(SEND)
    operator.page.click("text=See what becomes of it")
    operator.page.wait_for_url("**/admin/messaging/message/*/change/")
    wait_for(
        lambda: operator.go(operator.page.url.removeprefix(own.address)) == 200 and delivered(operator), "delivery"
    )
    operator.shoot("c5-the-test-is-delivered")


def delivered(visit: Visit) -> bool:
    """What the page of the message says of it now."""
    visit.page.reload()
    return visit.page.locator(".field-state, .form-row").filter(has_text="delivered").count() > 0
