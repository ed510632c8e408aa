"""TargetSMS password generation: it makes the code, puts it into the text and tells it in its answer."""

import secrets
from collections.abc import Sequence
from typing import Any, ClassVar

from aiohttp import web
from lxml import etree

from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.peers import smsgate
from tests.simulators.server import Call, Fault, TakenSms


class Peer(smsgate.Peer):
    """The states are those of the platform; this API neither knows keys nor calls."""

    name: ClassVar[str] = "targetsms_codes"
    submit_paths: ClassVar[tuple[str, ...]] = ("/password_generation/api.php",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {Fault.BLOCKED_HOST, Fault.ERROR_IN_200}
    bad_login: ClassVar[str] = "Неверный логин или пароль"
    one_line: ClassVar[bool] = False

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/password_generation/api.php", self.generate),
            web.post("/xml/state.php", self.state),
            web.post("/xml/balance.php", self.balance),
        ]

    def settings(self) -> dict[str, Any]:
        url = self.simulator.url_of(self.name)
        return {
            **super().settings(),
            "url": f"{url}/password_generation/api.php",
            "state_url": f"{url}/xml/state.php",
            "allow_http": True,
        }

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call | None:
        return None

    async def generate(self, request: web.Request) -> web.Response:
        root = await self.let_in(request)
        if isinstance(root, web.Response):
            return root
        if self.shows(Fault.BLOCKED_HOST):
            return smsgate.failure("Ваш аккаунт заблокирован")
        phone, sender, text = (root.findtext(name) or "" for name in ("phone", "sender", "text"))
        if "{код}" not in text or not sender:
            return smsgate.failure("Не заполнено обязательное поле")
        digits = phone.removeprefix("+")
        if self.shows(Fault.ERROR_IN_200) or not (digits.isascii() and digits.isdigit()):
            return smsgate.answer(etree.Element("success", code="", id_sms="", status="not_valid_phone"))
        code = "".join(secrets.choice("0123456789") for _ in range(int(root.findtext("random_string_len") or 4)))
        taken = self.simulator.take(self.name, digits, text.replace("{код}", code), sender)
        return smsgate.answer(etree.Element("success", code=code, id_sms=taken.reference, status="send"))
