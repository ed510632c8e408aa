"""The form in which an administrator describes a provider. What its fields must hold is checked in `checks.py`."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from gateways import fields
from gateways.generic import ways
from gateways.generic.checks import CHECKS


def _line(label: Any, help_text: Any = "", **options: Any) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, required=False, **{"max_length": 500, **options})


def _lines(label: Any, help_text: Any = "", **options: Any) -> forms.CharField:
    return _line(label, help_text, max_length=8000, widget=forms.Textarea(attrs={"rows": 4}), **options)


class Description(forms.Form):
    """Any provider. Placeholders are written as {{text}}; `docs/adding-a-provider.md` lists them and the rules."""

    url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        help_text=_("Placeholders such as {{to}} and {{text}} may stand in its path and its query, not in its host."),
    )
    method = forms.ChoiceField(
        label=_("Method"),
        choices=[(name, name) for name in ("GET", "POST", "PUT")],
        initial="POST",
        help_text=_("As the provider's documentation names it."),
    )
    headers = _lines(_("Headers"), _("One in a line: “Name: value”."))
    content_type = forms.ChoiceField(
        label=_("Body is"),
        choices=[
            ("none", _("empty")),
            ("urlencoded", _("a form")),
            ("json", "JSON"),
            ("xml", "XML"),
            ("text", _("plain text")),
        ],
        initial="none",
        help_text=_("What its content type says."),
    )
    body = _lines(
        _("Body"),
        _("A form has one “name=value” in a line; in JSON every placeholder stands between quotation marks."),
    )
    encoding = forms.ChoiceField(
        label=_("Encoding"),
        choices=[(name, name) for name in ("utf-8", "windows-1251", "koi8-r")],
        initial="utf-8",
        help_text=_("A message with characters it lacks is refused here and may go through another gateway."),
    )
    auth = forms.ChoiceField(
        label=_("Way in"), choices=ways.CHOICES, initial="none", help_text=_("How the provider knows who is asking.")
    )
    auth_name = _line(
        _("Name for the key"),
        _("The field or header that holds the API key; after a login the header for its token, if not Authorization."),
        max_length=100,
    )
    auth_url = fields.AddressField(
        label=_("Address of the login"), max_length=500, required=False, help_text=_("For ways in that log in first.")
    )
    login = fields.login(required=False, help_text=_("{{login}} in templates."))
    password = fields.password(required=False, help_text=_("{{password}} in templates."))
    api_key = fields.api_key(required=False, help_text=_("{{token}} in templates."))
    client_id = fields.client_id(required=False)
    client_secret = fields.client_secret(required=False)
    phone_format = forms.ChoiceField(
        label=_("{{to}} is written"),
        choices=[("plus", "+79161234567"), ("digits", "79161234567"), ("national", "89161234567")],
        initial="plus",
        help_text=_("{{to_no_plus}} and {{to_national}} are always there too."),
    )
    max_parts = forms.IntegerField(
        label=_("Segments at most"),
        required=False,
        min_value=1,
        max_value=100,
        help_text=_("A longer message is refused here and may go through another gateway."),
    )
    ok_http = _line(_("Statuses of success"), _("HTTP statuses of answers that may be a yes."), initial="200-299")
    ok = _lines(
        _("Taken if"),
        _("Rules, one in a line; all must hold: contains:OK, regex:^0, json:$.error = 0, xpath://sms/@id, status:202."),
    )
    reference = _lines(
        _("Provider's id"),
        _("Where the answer has it: json:$.id, xpath://sms/@id or regex:id=(\\w+). Without it receipts name {{id}}."),
    )
    fail = _lines(_("Refused if"), _("Rules, one in a line; one that holds is enough: json:$.error, status:400-499."))
    error = _lines(_("Error"), _("Where a refusal has its code or reason: json:$.error.code, regex:^ERR (\\d+)."))
    error_map = _lines(
        _("What errors mean"),
        _(
            "One in a line: “6 = refused_here”. Meanings: refused, refused_here, refused_for_now, gateway_fault, "
            "credentials_refused; any other error refuses the message."
        ),
    )
    retry_http = _line(_("Statuses of “later”"), _("HTTP statuses that say: not taken, try again."), initial="429, 503")
    repeat_is_safe = forms.BooleanField(
        label=_("A repeat is safe"),
        required=False,
        initial=False,
        help_text=_("The provider promises to send a message with the same {{id}} once."),
    )
    status_url = _line(
        _("Address of the state"),
        _("Asks what became of a message; {{id}} is the provider's id, or ours where it gives none."),
        max_length=2000,
    )
    status_body = _lines(_("Body of that question"), _("If there is one, the question is a POST."))
    status = _lines(_("State"), _("Where the answer has it: json:$.state, xpath://state or regex:state=(\\w+)."))
    status_map = _lines(
        _("What states mean"),
        _("One in a line: “DELIVRD = delivered”. Meanings: pending, delivered, undelivered, expired, unconfirmed."),
    )
    callback_id = _line(_("Callback: id"), _("The field of a call to us that has the id; in JSON also $.message.id."))
    callback_status = _line(_("Callback: state"), _("The field that has the state."))
    callback_reply = _line(_("Reply to callbacks"), _("What the provider must hear."), initial="OK")
    callback_from = _line(_("Callback: sender's phone"), _("Of a message that a guest wrote."))
    callback_text = _line(_("Callback: text"), _("Of a message that a guest wrote."))
    verify_tls = fields.verify_tls()

    #: How people read it: a title, its fields, and whether it begins folded.
    SECTIONS = (
        (
            _("The request"),
            ("url", "method", "headers", "content_type", "body", "encoding", "phone_format", "max_parts", "verify_tls"),
            False,
        ),
        (
            _("Way in"),
            ("auth", "auth_name", "auth_url", "login", "password", "api_key", "client_id", "client_secret"),
            False,
        ),
        (
            _("What the answer means"),
            ("ok_http", "ok", "reference", "fail", "error", "error_map", "retry_http", "repeat_is_safe"),
            False,
        ),
        (_("Asking what became of a message"), ("status_url", "status_body", "status", "status_map"), True),
        (
            _("Calls from the provider"),
            ("callback_id", "callback_status", "callback_reply", "callback_from", "callback_text"),
            True,
        ),
    )

    def clean(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        if self.errors:
            return given
        for name, check in CHECKS.items():
            try:
                check(given, name)
            except UnicodeEncodeError:
                self.add_error(name, _("It has characters that this encoding lacks; choose utf-8 or leave them out."))
            except ValidationError as error:
                self.add_error(None if hasattr(error, "error_dict") else name, error)
            except ValueError as error:
                self.add_error(name, str(error))
        return given
