"""One row: the guest it makes or changes, by the checks that hold for every other guest."""

from collections.abc import Mapping
from typing import Any, cast

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import RowResult

from guests import accounts, passwords
from guests.importing import cells, columns
from guests.models import Existing, Guest, GuestImport, Outlook
from messaging import phones
from portal.errors import Refusal

BECOMES = {
    RowResult.IMPORT_TYPE_NEW: Outlook.NEW,
    RowResult.IMPORT_TYPE_UPDATE: Outlook.UPDATED,
    RowResult.IMPORT_TYPE_SKIP: Outlook.SKIPPED,
    RowResult.IMPORT_TYPE_INVALID: Outlook.FAULTY,
}
#: A user name that is made up: so many letters and digits.
MADE_UP = 8


class GuestResource(Resource):  # type: ignore[misc]
    """Writes by `accounts` alone, in transactions that a dry run takes back."""

    class Meta:
        import_id_fields = ("username",)
        instance_loader_class = BaseInstanceLoader
        use_transactions = True
        skip_diff = True

    def __init__(self, of: GuestImport) -> None:
        super().__init__()
        self.of = of
        widgets = {
            "language": cells.Language(),
            "valid_from": cells.Moment(ends=False),
            "valid_until": cells.Moment(ends=True),
            "guest_type": cells.Kind(of.by),
            "sponsor": cells.Sponsor(),
        }
        self.fields = {name: Field(name, name, widgets.get(name)) for name in columns.FIELDS}

    def init_instance(self, row: Any = None) -> Guest:
        return Guest()

    def get_instance(self, instance_loader: Any, row: Mapping[str, str]) -> Guest | None:
        return Guest.objects.filter(username=row["username"]).first()

    def after_init_instance(self, instance: Guest, new: bool, row: Any, **kwargs: Any) -> None:
        if new or self.of.existing == Existing.SKIP:
            return
        visible = accounts.visible_to(self.of.by, Guest.objects.filter(pk=instance.pk))
        if self.of.existing == Existing.REFUSE or not visible.exists():
            raise ValidationError({"username": _("There is a guest of this user name already.")})

    def skip_row(self, instance: Guest, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        return instance.pk is not None and self.of.existing == Existing.SKIP

    def save_instance(self, instance: Guest, is_create: bool, row: Mapping[str, str], **kwargs: Any) -> None:
        said: Any = {name: getattr(instance, name) for name, cell in row.items() if cell and name != "username"}
        details = cast("accounts.Details", said)
        try:
            if is_create:
                usual = {"guest_type": self.of.guest_type} if self.of.guest_type else {}
                instance.pk = accounts.create(username=row["username"], by=self.of.by, **(usual | said)).pk
            else:
                accounts.change(instance, by=self.of.by, **details)
        except Refusal as refusal:
            field = refusal.field if refusal.field in columns.FIELDS else NON_FIELD_ERRORS
            raise ValidationError({field: refusal.sentence}) from None


def outcome(result: Any) -> tuple[Outlook, list[tuple[str, str]]]:
    """What became of a row, and what is wrong with it. What nobody thought of is raised again."""
    for error in result.errors:
        raise error.error
    faults = result.validation_error.message_dict if result.validation_error else {}
    named = [
        ("" if field == NON_FIELD_ERRORS else field, sentence) for field, found in faults.items() for sentence in found
    ]
    return BECOMES[result.import_type], named


def username_of(row: Mapping[str, str]) -> str:
    """The user name in the row; where there is none, the digits of the phone, or nothing."""
    if name := row.get("username", ""):
        return name
    try:
        return phones.normalise(row["phone"]).lstrip("+") if row.get("phone") else ""
    except Refusal:
        return ""


def made_up() -> str:
    """A user name for somebody of whom neither name nor phone is known."""
    return f"guest-{''.join(passwords.drawn(tuple(passwords.LETTERS_AND_DIGITS), MADE_UP))}"
