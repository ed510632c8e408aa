"""Importing guests: files as spreadsheets write them, columns, the dry run, the import, credentials."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation

from gateways.models import Gateway
from guests import accounts, credentials
from guests.importing import columns, files, steps
from guests.models import Existing, Guest, GuestImport, GuestImportRow, GuestType, Outlook, Sending
from messaging.models import Message
from portal.errors import Refusal
from portal.models import User
from tests.conftest import with_role
from tests.guests.test_user_password import everything_stored
from tests.portal.admin_pages import rights_as_permissions

pytestmark = pytest.mark.django_db

#: Number in the file, what is wrong there, and what it is mended to: five faults of 200 rows.
FAULTS = {
    17: ("phone", "8 800", "+79160000017"),
    50: ("username", "иван", "ivan"),
    99: ("username", "guest98", "guest99"),
    120: ("email", "nobody", "nobody@example.org"),
    201: ("language", "Klingon", "ru"),
}


def begun(by: User, text: str, *, checked: bool = True, **wishes: Any) -> GuestImport:
    """An import of this file, its columns guessed."""
    usual: Any = {"guest_type": None, "existing": Existing.REFUSE, "sends": False, "gateway_name": ""}
    found = steps.start(text.encode(), by=by, **(usual | wishes))
    if checked:
        steps.check(found)
    return found


def faults(found: GuestImport) -> dict[int, list[list[str]]]:
    """What is wrong with each row, by its number."""
    rows: Any = found.rows.filter(outlook=Outlook.FAULTY).values_list("number", "faults")
    return dict(rows)


def two_hundred() -> str:
    """A file of 200 guests with five faults."""
    lines = ["username,phone,email,language"]
    for number in range(2, 202):
        row = {
            "username": f"guest{number}",
            "phone": f"+7916{number:07}",
            "email": f"guest{number}@example.org",
            "language": "en",
        }
        if number in FAULTS:
            row[FAULTS[number][0]] = FAULTS[number][1]
        lines.append(",".join(row.values()))
    return "\n".join(lines)


class TestFiles:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_it_is_read_as_spreadsheets_write_it(self, encoding: str, delimiter: str) -> None:
        text = 'Логин;Имя;Заметки\r\nivan;Иван;"два; слова"\r\n;;\r\nolga;Ольга;\r\n'.replace(";", delimiter)
        header, rows = files.read(text.encode(encoding))
        assert header == ["Логин", "Имя", "Заметки"]
        assert rows == [(2, ["ivan", "Иван", f"два{delimiter} слова"]), (4, ["olga", "Ольга", ""])]

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "nothing to import"),
            (b"phone\n\n", "nothing to import"),
            (b"phone\n" + b"1\n" * 2001, "2001 rows"),
            (b'phone\n"1\n', "quotation mark"),
            ("phone\n1".encode("utf-16"), "no CSV file"),
            (b"\x98\xff", "no CSV file"),
            (b"a" * (files.LARGEST + 1), "2 MiB"),
            (b"a," * 50 + b"\n1", "50 columns"),
        ],
    )
    def test_what_is_no_such_file_is_refused(self, content: bytes, sentence: str) -> None:
        with pytest.raises(Refusal, match=sentence) as refused:
            files.read(content)
        assert refused.value.field == "file"

    def test_a_cell_defused_by_an_export_is_read_as_it_was(self) -> None:
        assert files.read(b"phone,notes\n'+79161234567,'tis\n").rows == [(2, ["+79161234567", "'tis"])]

    @pytest.mark.parametrize("language", ["ru", "en"])
    def test_the_sample_is_understood_in_both_languages(self, language: str, admin: User) -> None:
        with translation.override(language):
            header, rows = files.sample()
            text = "\n".join(",".join(cells) for cells in [header, *(cells for _number, cells in rows)])
        found = begun(admin, text)
        assert found.mapping == {field: index for index, field in enumerate(columns.FIELDS)}
        assert set(found.rows.values_list("outlook", flat=True)) == {Outlook.NEW}, faults(found)


class TestColumns:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            (["№", "Фамилия", "ИМЯ", "Номер телефона", "Эл. почта"], ("last_name", 1, "first_name", 2, "phone", 3)),
            (["Login", "Mobile", "Valid_Until", "E-Mail", "x"], ("username", 0, "phone", 1, "valid_until", 2)),
            (["Учетная запись", "Действует до", "Тип гостя"], ("username", 0, "valid_until", 1, "guest_type", 2)),
        ],
    )
    def test_they_are_guessed_from_headings(self, header: list[str], expected: tuple[Any, ...]) -> None:
        found = columns.guess(header)
        assert {field: found[field] for field in expected[::2]} == dict(zip(expected[::2], expected[1::2], strict=True))

    def test_one_column_cannot_be_two_things(self, admin: User) -> None:
        found = begun(admin, "a,b\n1,2", checked=False)
        for mapping, field in (
            ({"phone": 0, "notes": 0}, "phone"),
            ({"phone": 9}, "phone"),
            ({"password": 0}, "password"),
        ):
            with pytest.raises(Refusal) as refused:
                steps.map_columns(found, mapping)
            assert refused.value.field == field
        with pytest.raises(Refusal):
            steps.map_columns(found, {})

    def test_they_can_be_chosen(self, admin: User) -> None:
        found = begun(admin, "a,b\nbob,+79161234567", checked=False)
        steps.map_columns(found, {"username": 0, "phone": 1})
        steps.run(found)
        assert Guest.objects.values_list("username", "phone").get() == ("bob", "+79161234567")


class TestDryRun:
    def test_it_leaves_nothing(self, admin: User, guest: Guest) -> None:
        found = begun(admin, "username,company\nann,Acme\nbob,Acme", existing=Existing.UPDATE)
        assert steps.counts(found).waiting == {Outlook.NEW: 1, Outlook.UPDATED: 1}
        assert list(Guest.objects.values_list("username", "company")) == [("bob", "")]

    def test_every_fault_of_a_row_is_named_with_its_field(self, admin: User) -> None:
        found = begun(admin, "username,language,until,type,sponsor\nann,xx,soon,Nobles,ghost")
        assert {field for field, _ in faults(found)[2]} == {"language", "valid_until", "guest_type", "sponsor"}

    @pytest.mark.parametrize(
        ("cells", "field"),
        [
            ("bob/,,,", "username"),
            ("bob,123,,", "phone"),
            ("bob,,2026-12-02,2026-12-01", "valid_until"),
            ("bob,,,,Acme", ""),
        ],
    )
    def test_the_real_checks_find_faults(self, admin: User, cells: str, field: str) -> None:
        found = begun(admin, f"username,phone,from,until\n{cells}")
        assert [name for name, _ in faults(found)[2]] == [field]

    def test_duplicates_in_the_file_are_named_with_both_rows(self, admin: User) -> None:
        found = begun(admin, "phone\n+79161234567\n+79161234568\n8 916 123-45-67")
        assert faults(found) == {4: [["phone", "Rows 2 and 4 have the same user name, 79161234567."]]}

    def test_a_day_alone_is_all_of_it(self, admin: User) -> None:
        steps.run(begun(admin, "username,from,until\nann,01.12.2029,2029-12-02\nbob,2029-12-01 18:30,2029-12-01T19:00"))
        ann, bob = Guest.objects.order_by("username")
        assert f"{timezone.localtime(ann.valid_from):%d %H:%M} {timezone.localtime(ann.valid_until):%d %H:%M:%S}" == (
            "01 00:00 02 23:59:59"
        )
        assert f"{timezone.localtime(bob.valid_from):%d %H:%M} {timezone.localtime(bob.valid_until):%d %H:%M}" == (
            "01 18:30 01 19:00"
        )


class TestExisting:
    FILE = "username,company,notes\nbob,Acme,\nann,Acme,"

    def test_it_is_refused(self, admin: User, guest: Guest) -> None:
        found = begun(admin, self.FILE)
        assert faults(found) == {2: [["username", "There is a guest of this user name already."]]}
        steps.run(found)
        assert set(Guest.objects.values_list("username", "company")) == {("bob", ""), ("ann", "Acme")}

    def test_it_is_changed_and_empty_cells_change_nothing(self, admin: User, guest: Guest) -> None:
        accounts.write(guest, notes="kept")
        steps.run(begun(admin, self.FILE, existing=Existing.UPDATE))
        assert Guest.objects.values_list("company", "notes", "phone").get(pk=guest.pk) == ("Acme", "kept", guest.phone)

    def test_it_is_skipped(self, admin: User, guest: Guest) -> None:
        found = begun(admin, self.FILE, existing=Existing.SKIP)
        steps.run(found)
        assert steps.counts(found).done == {Outlook.SKIPPED: 1, Outlook.NEW: 1}
        guest.refresh_from_db()
        assert guest.company == ""

    def test_an_anonymous_guest_is_nobodys_account(self, admin: User, guest: Guest) -> None:
        accounts.write(guest, anonymised_at=timezone.now())
        assert 2 in faults(begun(admin, self.FILE, existing=Existing.UPDATE))


class TestImport:
    def test_200_rows_with_five_faults_are_mended_in_place(self, admin: User) -> None:
        found = begun(admin, two_hundred())
        assert {number: [field for field, _ in wrong] for number, wrong in faults(found).items()} == {
            number: [field] for number, (field, _wrong, _right) in FAULTS.items()
        }
        steps.run(found)
        assert Guest.objects.count() == 195
        steps.mend(found, {number: {field: right} for number, (field, _wrong, right) in FAULTS.items()})
        assert faults(found) == {}
        steps.run(found)
        assert Guest.objects.count() == 200
        assert Guest.objects.filter(sponsor=admin).count() == 200
        assert steps.counts(found).done == {Outlook.NEW: 200}

    def test_asked_for_twice_it_is_done_once(self, admin: User) -> None:
        found = begun(admin, "phone\n+79161234567\n,\n+79161234568")
        steps.run(found)
        steps.run(GuestImport.objects.get(pk=found.pk))
        assert Guest.objects.count() == 2

    def test_a_row_imported_already_is_never_overwritten_by_its_double(self, admin: User) -> None:
        found = begun(admin, "username,company\nbob,Acme\nbob,Other", existing=Existing.UPDATE)
        steps.run(found)
        steps.check(found)
        assert faults(found) == {3: [["username", "Rows 2 and 3 have the same user name, bob."]]}
        assert Guest.objects.get().company == "Acme"

    def test_without_name_and_phone_a_name_is_made_up(self, admin: User) -> None:
        steps.run(begun(admin, "name\nAnn\nBob"))
        names = Guest.objects.values_list("username", flat=True)
        assert len(names) == 2
        assert all(name.startswith("guest-") for name in names)

    def test_what_became_wrong_in_between_is_faulty_and_nothing_is_lost(self, admin: User) -> None:
        found = begun(admin, "username\nann\nbob")
        accounts.create(username="bob", by=None)
        steps.run(found)
        assert list(faults(found)) == [3]
        assert steps.counts(found).done == {Outlook.NEW: 1}

    def test_nothing_personal_stands_in_the_database_in_clear(self, admin: User, guest: Guest) -> None:
        found = begun(admin, "username,phone,company\nann,12,Canary-4711")
        assert found.rows.get().cells == ["ann", "12", "Canary-4711"]
        assert "Canary-4711" not in everything_stored()

    def test_cells_are_wiped_once_they_are_imported(self, admin: User) -> None:
        found = begun(admin, "username\nann\nbob/")
        steps.run(found)
        assert [row.cells for row in found.rows.all()] == [[], ["bob/"]]

    def test_an_import_is_forgotten_after_a_day(self, admin: User) -> None:
        old, _young = begun(admin, "username\nann"), begun(admin, "username\nann")
        GuestImport.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(hours=25))
        assert steps.forget_old_imports() == 1
        assert GuestImportRow.objects.count() == 1


class TestRights:
    def test_who_sees_own_guests_only_imports_own_ones_only(self, sponsor: User, admin: User, foreign: Guest) -> None:
        found = begun(
            sponsor, "username,sponsor\nann,\nbob,admin\neve,sponsor\nforeign,sponsor", existing=Existing.UPDATE
        )
        assert {number: field for number, [(field, _)] in faults(found).items()} == {3: "sponsor", 5: "username"}
        steps.run(found)
        assert set(Guest.objects.filter(sponsor=sponsor).values_list("username", flat=True)) == {"ann", "eve"}
        foreign.refresh_from_db()
        assert foreign.sponsor == admin

    def test_types_are_those_the_user_may_give(self, receptionist: User, visitor_type: GuestType) -> None:
        visitor_type.roles.set(with_role("other", "Sponsor").groups.all())
        found = begun(receptionist, "username,type\nann,visitor\nbob,Guest")
        assert {number: field for number, [(field, _)] in faults(found).items()} == {2: "guest_type"}
        visitor_type.roles.clear()
        found = begun(receptionist, "username,type\nann,\nbob,Guest", guest_type=visitor_type)
        steps.run(found)
        assert dict(Guest.objects.values_list("username", "guest_type__name")) == {"ann": "Visitor", "bob": "Guest"}

    def test_a_stay_is_no_longer_than_the_type_allows(self, receptionist: User, visitor_type: GuestType) -> None:
        receptionist.user_permissions.set(rights_as_permissions())
        found = begun(receptionist, "username,until\nann,2199-01-01", guest_type=visitor_type)
        assert [field for field, _ in faults(found)[2]] == ["valid_until"]


class TestCredentials:
    FILE = "username,phone\nann,+79161234501\nbob,+79161234502\neve,"

    def test_they_go_to_everybody_once(self, admin: User, sandbox: Gateway) -> None:
        found = begun(admin, self.FILE)
        steps.run(found)
        for _twice in range(2):
            steps.send_credentials(found, by=admin)
        assert set(Message.objects.values_list("recipient_label", flat=True)) == {"ann", "bob"}
        assert Message.objects.count() == 2
        assert steps.counts(found).sending == {Sending.ACCEPTED: 2, Sending.REFUSED: 1}
        assert "no phone number" in found.rows.get(sending=Sending.REFUSED).refused
        assert Guest.objects.exclude(password="").count() == 2

    def test_they_go_out_in_slices(self, admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(credentials, "MOST_AT_ONCE", 1)
        found = begun(admin, self.FILE)
        steps.run(found)
        steps.send_credentials(found, by=admin)
        assert Message.objects.count() == 2

    def test_what_was_interrupted_is_not_sent_again(self, admin: User, sandbox: Gateway) -> None:
        found = begun(admin, self.FILE)
        steps.run(found)
        found.rows.update(sending=Sending.ASKED)
        steps.send_credentials(found, by=admin)
        assert not Message.objects.exists()

    def test_without_such_a_gateway_nothing_is_marked(self, admin: User) -> None:
        found = begun(admin, self.FILE, gateway_name="gone")
        steps.run(found)
        with pytest.raises(Refusal):
            steps.send_credentials(found, by=admin)
        assert steps.to_send(found).count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_machines_that_import_at_the_same_time_import_each_row_once(sandbox: Gateway) -> None:
    boss = User.objects.create_superuser("boss")
    found = begun(boss, "phone\n" + "\n".join(f"+7916{number:07}" for number in range(120)))

    def both(pk: int) -> None:
        try:
            steps.run(GuestImport.objects.select_related("by").get(pk=pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as machines:
        list(machines.map(both, [found.pk, found.pk]))
    assert steps.counts(found).done == {Outlook.NEW: 120}
    assert Guest.objects.count() == 120
