"""TargetSMS and the others on the SMSGate platform: XML by POST, and HTTP 200 whatever happens."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from aiohttp import web
from lxml import etree

from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.server import Call, Fault, TakenSms

LOGIN = "portal"
PASSWORD = "p<a>s & \"s\" 'слово'"
ZONE = ZoneInfo("Europe/Moscow")
MOMENT = "%Y-%m-%d %H:%M:%S"
STATES = {
    ReceiptState.PENDING: "send",
    ReceiptState.DELIVERED: "deliver",
    ReceiptState.UNDELIVERED: "not_deliver",
    ReceiptState.EXPIRED: "expired",
    ReceiptState.UNCONFIRMED: "partly_deliver",
}
BAD_FORMAT = "Неправильный формат XML документа"

Element = etree._Element


class Peer(server.Peer):
    """Takes login and password as attributes and as texts, as the platform's companies do."""

    name: ClassVar[str] = "smsgate"
    submit_paths: ClassVar[tuple[str, ...]] = ("/xml/",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {
        Fault.BLOCKED_HOST,
        Fault.ERROR_IN_200,
        Fault.DUPLICATE_CALLBACK,
    }
    bad_login: ClassVar[str] = "Неправильный логин или пароль"
    #: The documentation forbids line breaks in the document, and has two characters stand for them.
    one_line: ClassVar[bool] = True

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/xml/", self.send),
            web.post("/xml/state.php", self.state),
            web.post("/xml/balance.php", self.balance),
            web.post("/xml/incoming.php", self.incoming),
            web.post("/xml/time.php", self.time),
        ]

    def settings(self) -> dict[str, Any]:
        return {"url": self.simulator.url_of(self.name), "login": LOGIN, "password": PASSWORD}

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": "wrong"}

    async def send(self, request: web.Request) -> web.Response:
        root = await self.let_in(request)
        if isinstance(root, web.Response):
            return root
        if self.shows(Fault.BLOCKED_HOST):
            return failure("Ваш аккаунт заблокирован")
        abonents = [(message, abonent) for message in root.iter("message") for abonent in message.iter("abonent")]
        if not abonents or not all(_is_well_formed(abonent) for _message, abonent in abonents):
            return failure(BAD_FORMAT)
        return answer(*(self._take(message, abonent) for message, abonent in abonents))

    async def state(self, request: web.Request) -> web.Response:
        root = await self.let_in(request)
        if isinstance(root, web.Response):
            return root
        asked = [self.simulator.get(self.name, one.text or "") for one in root.iterfind("get_state/id_sms")]
        return answer(*(_state(sms, sms.state, num_parts=str(sms.billed), price="1.15") for sms in asked if sms))

    async def balance(self, request: web.Request) -> web.Response:
        root = await self.let_in(request)
        if isinstance(root, web.Response):
            return root
        return answer(_element("money", "150.50", currency="RUR"), _element("sms", "136", area="Россия"))

    async def incoming(self, request: web.Request) -> web.Response:
        root = await self.let_in(request)
        if isinstance(root, web.Response):
            return root
        time = root.find("time")
        if time is None:
            return failure(BAD_FORMAT)
        start = datetime.strptime(time.get("start", ""), MOMENT).replace(tzinfo=ZONE)
        return answer(
            *(
                _element(
                    "sms",
                    sms.text,
                    id_sms=sms.reference,
                    date_receive=_local(sms.at),
                    originator=sms.phone.lstrip("+"),
                    prefix="",
                    phone="3443",
                )
                for sms in self.simulator.written_to(self.name)
                if sms.at and sms.at.replace(microsecond=0) > start
            )
        )

    async def time(self, request: web.Request) -> web.Response:
        root = await self.let_in(request)
        if isinstance(root, web.Response):
            return root
        return answer(_element("time", _local(datetime.now(UTC)).partition(" ")[2]))

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call | None:
        report = etree.Element("request")
        report.append(_state(taken, state))
        return Call("POST", callback_url, {"content-type": "text/xml; charset=utf-8"}, _written(report))

    async def let_in(self, request: web.Request) -> Element | web.Response:
        """The document of somebody whose login and password are right, or the answer to anybody else."""
        body = await request.read()
        if not body:
            return failure("POST данные отсутствуют")
        root = _read(body) if request.content_type == "text/xml" else None
        if root is None or (self.one_line and b"\n" in body):
            return failure(BAD_FORMAT)
        self.count_login()
        if self.shows(Fault.BAD_CREDENTIALS) or (_secret(root, "login"), _secret(root, "password")) != (
            LOGIN,
            PASSWORD,
        ):
            return failure(self.bad_login)
        return root

    def _take(self, message: Element, abonent: Element) -> Element:
        number = abonent.get("number_sms", "")
        phone, sender = abonent.get("phone", ""), message.findtext("sender") or ""
        text = (message.findtext("text") or "").replace("\\n", "\n")
        refusals = {
            "Номер телефона присутствует в стоп-листе.": self.shows(Fault.ERROR_IN_200),
            "Укажите номер телефона.": not (phone.isascii() and phone.isdigit()),
            "Номер телефона должен быть меньше 15 символов.": len(phone) >= 15,
            "Нет отправителя.": not sender,
            "Нет текста сообщения.": not text,
        }
        for refusal, applies in refusals.items():
            if applies:
                return _element("information", refusal, number_sms=number)
        taken = self.simulator.take(self.name, phone, text, sender, key=abonent.get("client_id_sms", ""), dedupes=True)
        return _element("information", "send", number_sms=number, id_sms=taken.reference, parts=str(taken.billed))


def answer(*content: Element) -> web.Response:
    """A document that says `response`."""
    root = etree.Element("response")
    root.extend(content)
    return web.Response(body=_written(root), content_type="text/xml", charset="utf-8")


def failure(error: str) -> web.Response:
    """An error of the whole request."""
    return answer(_element("error", error))


def _read(body: bytes) -> Element | None:
    """The document, if it is a request in UTF-8."""
    try:
        root = etree.fromstring(body, etree.XMLParser(encoding="utf-8", resolve_entities=False))
    except etree.XMLSyntaxError:
        return None
    return root if root.tag == "request" else None


def _secret(root: Element, name: str) -> str:
    found = root.find(f"security/{name}")
    return "" if found is None else found.get("value", found.text or "")


def _is_well_formed(abonent: Element) -> bool:
    """Numbers are numbers, and times are times that are yet to come."""
    try:
        int(abonent.get("client_id_sms", "0"))
        validity = abonent.get("validity_period")
        ends = validity and datetime.strptime(validity, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
    except ValueError:
        return False
    return not ends or ends > datetime.now(UTC)


def _state(sms: TakenSms, state: ReceiptState, **more: str) -> Element:
    time = "" if state == ReceiptState.PENDING else _local(sms.at)
    return _element("state", STATES[state], id_sms=sms.reference, time=time, **more)


def _element(tag: str, text: str, /, **attributes: str) -> Element:
    made = etree.Element(tag, attributes)
    made.text = text
    return made


def _local(moment: datetime) -> str:
    return moment.astimezone(ZONE).strftime(MOMENT)


def _written(root: Element) -> bytes:
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)
