"""Reading what asks for a token: a form as RFC 6749 has it, or a JSON object with the same names."""

from typing import Any
from urllib.parse import parse_qsl

from portal.api.lenient_json import BadBody, LenientJSONParser, is_storable, read_object

#: The kind of body that a form is.
FORM = "application/x-www-form-urlencoded"
#: More than anything that asks for a token has.
MOST_FIELDS = 50


class TokenFormParser(LenientJSONParser):
    """Tells both apart by their first byte, whatever the Content-Type says."""

    def read(self, body: bytes, view: Any) -> dict[str, Any]:
        if not body.lstrip().startswith(b"{"):
            return read_form(body)
        found = read_object(body)
        if wrong := [name for name, value in found.items() if not isinstance(value, str)]:
            raise BadBody(f"{wrong[0][:100]} must be a string.")
        return found


def read_form(body: bytes) -> dict[str, str]:
    """Names and values; none twice, as RFC 6749 has it. Raises BadBody."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, encoding="utf-8", errors="strict"
        )
    except UnicodeDecodeError:
        raise BadBody("The body is no form in UTF-8.") from None
    except ValueError:
        raise BadBody(f"The body has more than {MOST_FIELDS} fields.") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadBody("A parameter appears twice.")
    if not is_storable(found):
        raise BadBody("The body holds a NUL character or half of a surrogate pair.")
    return found
