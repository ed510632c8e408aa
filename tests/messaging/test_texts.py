"""Texts as they are sent: tidied, and templates filled. What they cost is a property, P15 in `tests/guarantee/`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.texts import fill, measure, split, tidy
from portal.errors import Refusal


class TestTidying:
    @pytest.mark.parametrize("written", ["one\r\ntwo", "one\rtwo", "one\ntwo"])
    def test_every_line_break_is_one_line_feed_and_costs_one(self, written: str) -> None:
        assert tidy(written) == "one\ntwo"
        assert split(written) == ["one\ntwo"]
        assert measure(written).units == 7

    @pytest.mark.parametrize("unsendable", ["\ud83d", "a\ude00", "\ude00\ud83d", "a\x00b"])
    def test_half_an_emoji_and_a_zero_character_are_refused(self, unsendable: str) -> None:
        for refuses in (tidy, split, measure):
            with pytest.raises(Refusal) as refused:
                refuses(unsendable)
            assert refused.value.field == "text"

    @given(st.text(st.characters(exclude_characters="\x00"), max_size=300))
    def test_any_text_is_measured_or_refused(self, text: str) -> None:
        broken = any("\ud800" <= character <= "\udfff" for character in text)
        if broken:
            with pytest.raises(Refusal):
                measure(text)
        else:
            assert measure(text).segments >= 1


class TestFilling:
    def test_it_fills_placeholders_with_and_without_braces(self) -> None:
        assert fill("$portal: ${username}/$password, $$5", portal="Wi-Fi", username="bob", password="x") == (
            "Wi-Fi: bob/x, $5"
        )

    @pytest.mark.parametrize("value", ["$password", "${password}", "$$", "$", "\\1", "{username}"])
    def test_a_value_is_never_expanded_again(self, value: str) -> None:
        assert fill("$username $password", username=value, password="secret") == f"{value} secret"

    @given(st.text(), st.text())
    def test_any_values_arrive_as_they_are(self, username: str, password: str) -> None:
        assert fill("<$username|$password>", username=username, password=password) == f"<{username}|{password}>"

    @pytest.mark.parametrize("template", ["Hello $guest", "Hello ${guest}"])
    def test_an_unknown_placeholder_is_named(self, template: str) -> None:
        with pytest.raises(Refusal, match=r"\$guest") as refused:
            fill(template, username="bob")
        assert refused.value.field == "text"

    @pytest.mark.parametrize("template", ["5 $", "$ 5", "${}", "$5", "${user name}", "$пароль"])
    def test_a_lone_dollar_sign_is_refused_with_the_remedy(self, template: str) -> None:
        with pytest.raises(Refusal, match=r"write \$\$"):
            fill(template, username="bob")

    @given(st.text())
    def test_any_template_is_filled_or_refused(self, template: str) -> None:
        try:
            filled = fill(template, username="bob")
        except Refusal:
            assert "$" in template
        else:
            assert "$" in template or filled == template

    def test_a_refusal_shows_no_values(self) -> None:
        with pytest.raises(Refusal) as refused:
            fill("$password $nobody", password="canary-secret")
        assert "canary-secret" not in refused.value.sentence
        assert refused.value.__cause__ is None
