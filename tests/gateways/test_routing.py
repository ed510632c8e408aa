"""Which gateway a message goes through."""

import pytest

from gateways import accounts, routing
from gateways.models import Gateway
from portal.errors import Refusal, Why

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"


def chosen(name: str, *, strict: bool = False) -> Gateway:
    """What a new message to PHONE goes through; no name: none was asked for."""
    return routing.choose(PHONE, routing.named(name) if name else routing.default(), strict=strict)


def test_it_is_the_one_that_was_named(sandbox: Gateway) -> None:
    other = accounts.create(name="Другой", provider="sandbox")
    assert chosen("Другой") == routing.named("Другой") == other


def test_it_is_the_default_one_where_none_was_named(sandbox: Gateway) -> None:
    accounts.create(name="other", provider="sandbox", priority=1)
    assert chosen("") == routing.default() == sandbox


def test_an_unknown_name_is_not_found(sandbox: Gateway) -> None:
    with pytest.raises(Refusal) as refused:
        chosen("nobody")
    assert (refused.value.field, refused.value.why) == ("gateway", Why.NOT_FOUND)


@pytest.mark.parametrize("name", ["sandbox", ""])
def test_a_gateway_that_is_switched_off_is_refused(sandbox: Gateway, name: str) -> None:
    accounts.change(sandbox, enabled=False)
    with pytest.raises(Refusal, match="switched off") as refused:
        chosen(name)
    assert (refused.value.field, refused.value.why) == ("gateway", Why.INVALID)


def test_without_a_default_one_a_gateway_must_be_named() -> None:
    accounts.create(name="other", provider="sandbox")
    with pytest.raises(Refusal, match="no default gateway") as refused:
        chosen("")
    assert refused.value.field == "gateway"


@pytest.mark.parametrize(
    ("prefixes", "serves"),
    [([], True), (["+7"], True), (["+375", "+7916"], True), (["+375"], False), (["+7903", "+44"], False)],
)
def test_prefixes_limit_the_phones(sandbox: Gateway, prefixes: list[str], *, serves: bool) -> None:
    accounts.change(sandbox, prefixes=prefixes)
    if serves:
        assert chosen("sandbox") == sandbox
    else:
        with pytest.raises(Refusal, match="may not send") as refused:
            chosen("sandbox")
        assert PHONE not in refused.value.sentence
