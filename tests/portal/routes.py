"""Routes for tests of the API's ground: the portal's own, and views that need nothing from above."""

from threading import Event
from typing import Any, ClassVar

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.collection import CollectionView, ItemView, SearchView
from portal.api.commit import Done, commit
from portal.api.inputs import Input
from portal.api.login import Login, Logout, TokenInfo
from portal.api.resources import Resource, moment, number, shown, text, yes_no
from portal.api.routes import route
from portal.api.unknown_path import UnknownPath
from portal.api.views import ApiView
from portal.errors import Refusal, Why
from portal.models import User
from portal.permissions import Right
from tests.waiting import PATIENCE

MEMBERS = Resource(
    singular="member",
    key="name",
    rows=lambda: User.objects.filter(username__startswith="m"),
    ordering=("username",),
    columns={
        "name": text("username"),
        "surname": text("last_name"),
        "staff": yes_no("is_staff"),
        "joined": moment("date_joined"),
        "left": moment("last_login", nullable=True),
        "number": number("id", nullable=True),
        "initial": shown(lambda member: member.username[0]),
    },
    example={"name": "mia", "surname": "Lee", "staff": False},
)


class Address(Input):
    """Something inside something."""

    url = serializers.URLField()


class MemberInput(Input):
    """The body of a member."""

    name = serializers.CharField(max_length=20, style={"placeholder": "mia"})
    surname = serializers.CharField(required=False, default="")
    staff = serializers.BooleanField(required=False, default=False)
    settings = Address(required=False)
    password = serializers.CharField(required=False)
    phone_number = serializers.CharField(required=False)


class Members(CollectionView):
    """All members."""

    resource = MEMBERS
    rights: ClassVar = {"GET": (Right.USERS_READ,), "POST": (Right.USERS_CREATE,)}
    inputs: ClassVar = {"POST": MemberInput}
    named_by: ClassVar = "name"
    wire_names: ClassVar = {"username": "name"}

    def create(self, fields: dict[str, Any]) -> User:
        if User.objects.filter(username=fields["name"]).exists():
            raise Refusal("That name is taken", field="username", why=Why.CONFLICT)
        if fields["name"].startswith("x"):
            raise Refusal("Names begin with m", field="username")
        return User.objects.create(username=fields["name"], last_name=fields["surname"])


class MemberSearch(SearchView):
    """Some members."""

    resource = MEMBERS
    rights: ClassVar = {"POST": (Right.USERS_READ,)}


class Member(ItemView):
    """One member."""

    resource = MEMBERS
    rights: ClassVar = {
        "GET": (Right.USERS_READ,),
        "PATCH": (Right.USERS_UPDATE,),
        "PUT": (Right.USERS_UPDATE,),
        "DELETE": (Right.USERS_DELETE,),
    }
    inputs: ClassVar = {"PATCH": MemberInput, "PUT": MemberInput}

    def update(self, found: User, fields: dict[str, Any]) -> User:
        found.last_name = fields.get("surname", found.last_name)
        found.save()
        return found

    def remove(self, found: User) -> None:
        found.delete()


class Broken(ApiView):
    """Raises what the test puts here."""

    rights: ClassVar = {"POST": (), "GET": ()}
    error: ClassVar[Exception] = RuntimeError()

    def get(self, request: Request) -> Response:
        raise self.error

    def post(self, request: Request) -> Response:
        def work() -> Done:
            User.objects.create(username="half-done")
            raise self.error

        return commit(self, work)


class Undeclared(ApiView):
    """Says nothing about its rights."""

    def get(self, request: Request) -> Response:
        return Response({})


class Unshowable(ApiView):
    """Answers what JSON cannot hold."""

    rights: ClassVar = {"GET": ()}

    def get(self, request: Request) -> Response:
        return Response({"number": float("nan")})


class Slow(ApiView):
    """Ends when the test lets it."""

    rights: ClassVar = {"POST": ()}
    entered: ClassVar[Event] = Event()
    may_end: ClassVar[Event] = Event()

    def post(self, request: Request) -> Response:
        def work() -> Done:
            self.entered.set()
            assert self.may_end.wait(PATIENCE)
            return Done({"message": "done"})

        return commit(self, work)


api: list[URLPattern | URLResolver] = [
    route("login", Login, "login"),
    route("logout", Logout, "logout"),
    route("token_info", TokenInfo, "token_info"),
    route("members", Members, "members"),
    route("members/search", MemberSearch, "members.search"),
    route("member/(?P<name>.+?)", Member, "member"),
    route("broken", Broken, "broken"),
    route("undeclared", Undeclared, "undeclared"),
    route("unshowable", Unshowable, "unshowable"),
    route("slow", Slow, "slow"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(api)),
    re_path(r"^api/v1(?:/[\s\S]*)?\Z", UnknownPath.as_view(), name="unknown_path"),
]

handler500 = "portal.api.envelope.server_error"
