"""What is told in Russian: errors as the platform's documentation words them, and ours where it has none.

Programs look for “логин”, “заблокирован”, “формат”, “XML” and “POST” in an error: ours have none of these where that is
not what is wrong.
"""

from collections.abc import Mapping

from messaging.models import State
from portal.errors import Refusal

# Of a whole call, documented; the API that makes codes has another word for the same.

BAD_XML = "Неправильный формат XML документа"
BAD_JSON = "Неправильный формат JSON документа"
BLOCKED = "Ваш аккаунт заблокирован"
NO_POST = "POST данные отсутствуют"
WRONG_LOGIN = "Неправильный логин или пароль"
WRONG_LOGIN_FOR_CODES = "Неверный логин или пароль"
REPEATED = "error: Попытка отправки более одного одинакового запроса в течение минуты"

# Of a whole call, ours

AWAY = "Сервис временно недоступен. Повторите позже."
FAILED = "Внутренняя ошибка сервиса."
TOO_OFTEN = "Слишком много обращений. Повторите позже."
TOO_MANY_SMS = "В одном запросе может быть не более {most} сообщений."
TOO_MANY_TERMS = "В одном запросе может быть не более {most} сочетаний отправителя, рассылки и времени."
UNKNOWN_BALANCE = "Остаток на счёте неизвестен."
BAD_PERIOD = "Укажите период: start и end в виде ГГГГ-ММ-ДД ЧЧ:ММ:СС."
NO_PLACE = "Текст сообщения должен содержать {код}."
BAD_CALL = "Запрос нельзя прочесть: каждое поле должно быть в нём один раз и в кодировке UTF-8."
NO_FORM = "Запрос нельзя прочесть: отправьте поля в адресе или форму с Content-Length, не более 1 МиБ."
UNKNOWN_TYPE = "Этот тип запроса здесь неизвестен; известны {known}."
UNKNOWN_ID = "Сообщения с таким smsid нет."
PASSWORD_IN_ADDRESS = f"{WRONG_LOGIN}: пароль в адресе не принимается, укажите вместо него ключ API."
BAD_LENGTH = "Количество цифр в коде: от {least} до {most}."

# Of one SMS, documented

CLOSED = "Данное направление закрыто для вас."
LONG_PHONE = "Номер телефона должен быть меньше 15 символов."
NO_PHONE = "Укажите номер телефона."
NO_TEXT = "Нет текста сообщения."
STOPPED = "Номер телефона присутствует в стоп-листе."

# Of one SMS, ours

BAD_NUMBER = "client_id_sms должен быть целым числом."
BAD_TIME = "Время указывается в виде ГГГГ-ММ-ДД ЧЧ:ММ."
LONG_TEXT = "Текст сообщения слишком длинный."
TOO_FAR = "Сообщение можно отложить не более чем на {days} дней."
TOO_LATE = "Срок доставки сообщения закончился бы до отправки."

#: Of a whole call in XML, by the status that our own API would give.
OF_STATUS: Mapping[int, str] = {
    400: BAD_XML,
    401: WRONG_LOGIN,
    403: BLOCKED,
    404: CLOSED,
    405: NO_POST,
    411: NO_POST,
    413: BAD_XML,
    415: BAD_XML,
    429: TOO_OFTEN,
    500: FAILED,
    503: AWAY,
}

#: Of one in JSON, and of one in an address or a form.
OF_STATUS_IN_JSON: Mapping[int, str] = {**OF_STATUS, **dict.fromkeys((400, 413, 415), BAD_JSON)}
OF_STATUS_IN_FIELDS: Mapping[int, str] = {
    **OF_STATUS,
    400: BAD_CALL,
    **dict.fromkeys((405, 411, 413, 415), NO_FORM),
}

#: By the field of a Refusal.
OF_FIELD: Mapping[str, str] = {"phone": NO_PHONE, "text": LONG_TEXT, "gateway": CLOSED, "schedule": TOO_LATE}

SEND, DELIVER, NOT_DELIVER, EXPIRED, PARTLY = "send", "deliver", "not_deliver", "expired", "partly_deliver"
#: `partly_deliver` is not about parts: the message was sent, or may have been, and nobody knows more.
OF_STATE: Mapping[State, str] = {
    State.QUEUED: SEND,
    State.HELD: SEND,
    State.CLAIMED: SEND,
    State.SUBMITTING: SEND,
    State.UNKNOWN: SEND,
    State.SUBMITTED: SEND,
    State.DELIVERED: DELIVER,
    State.UNDELIVERED: NOT_DELIVER,
    State.EXPIRED: EXPIRED,
    State.NO_RECEIPT: PARTLY,
    State.UNRESOLVED: PARTLY,
    State.FAILED: NOT_DELIVER,
    State.CANCELLED: NOT_DELIVER,
    # `expired` would say that the phone was off.
    State.LAPSED: NOT_DELIVER,
    State.SUPPRESSED: NOT_DELIVER,
}

#: What the API that makes codes says beside these.
BAD_PHONE, NO_CONNECTION = "not_valid_phone", "connection_error"


def of(refusal: Refusal) -> str:
    """What is told of something that was refused."""
    return OF_FIELD.get(refusal.field, CLOSED)
