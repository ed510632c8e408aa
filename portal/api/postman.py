"""A Postman collection made of the OpenAPI document: a folder per tag, a request per operation, its example filled in.

The format: https://schema.getpostman.com/json/collection/v2.1.0/docs/index.html
"""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
FORM = "application/x-www-form-urlencoded"
#: Whoever signs in types both into the collection's variables once, and the token is stored by the request itself.
LOGIN = "/api/v1/login"
SIGNED_IN = {"username": "{{username}}", "password": "{{password}}"}
STORE_TOKEN = (
    'pm.test("Signed in", () => pm.response.to.have.status(200));',
    'pm.collectionVariables.set("token", pm.response.json().token);',
)
#: An Idempotency-Key that Postman makes anew for each request.
VALUES = {"Idempotency-Key": "{{$guid}}"}

Document = Mapping[str, Any]


class Call(NamedTuple):
    """One operation of the document."""

    path: str
    method: str
    operation: Mapping[str, Any]


def collection(document: Document) -> dict[str, Any]:
    """The collection as JSON has it."""
    folders: dict[str, list[dict[str, Any]]] = {}
    for call in _calls(document):
        folders.setdefault(call.operation["tags"][0], []).append(_item(document, call))
    return {
        "info": {
            "name": document["info"]["title"],
            "description": f"{document['info']['description']} Made by `manage.py postman_collection`.",
            "schema": FORMAT,
        },
        "auth": {"type": "bearer", "bearer": [_pair("token", "{{token}}")]},
        "variable": [
            _pair("baseUrl", "http://127.0.0.1:8000"),
            _pair("token", ""),
            _pair("username", "admin"),
            _pair("password", ""),
        ],
        "item": [{"name": tag, "item": requests} for tag, requests in sorted(folders.items())],
    }


def _calls(document: Document) -> Iterator[Call]:
    for path, operations in sorted(document["paths"].items()):
        for method, operation in operations.items():
            yield Call(path, method.upper(), operation)


def _pair(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value, "type": "string"}


def _item(document: Document, call: Call) -> dict[str, Any]:
    operation = call.operation
    request = {
        "method": call.method,
        "header": [_header(one) for one in operation.get("parameters", ()) if one["in"] == "header"],
        "url": _url(document, call),
        "description": operation["description"],
    }
    if not operation.get("security"):
        request["auth"] = {"type": "noauth"}
    if body := _body(call):
        kind, request["body"] = body
        request["header"] = [{"key": "Content-Type", "value": kind}, *request["header"]]
    name = f"{call.method} {call.path.removeprefix('/api/v1')}"
    item = {"name": name, "request": request, "response": [_shown(answer) for answer in _answers(operation)]}
    script = {"type": "text/javascript", "exec": list(STORE_TOKEN)}
    return item | ({"event": [{"listen": "test", "script": script}]} if call.path == LOGIN else {})


def _header(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return _asked(parameter, VALUES.get(parameter["name"], ""))


def _asked(parameter: Mapping[str, Any], value: str) -> dict[str, Any]:
    """A parameter, which is not sent unless it must be."""
    asked = {"key": parameter["name"], "value": value, "description": parameter.get("description", "")}
    return asked if parameter.get("required") else {**asked, "disabled": True}


def _url(document: Document, call: Call) -> dict[str, Any]:
    parts = [f":{part[1:-1]}" if part.startswith("{") else part for part in call.path.strip("/").split("/")]
    found = [
        _asked(one, str(one.get("example", one["schema"].get("default", ""))))
        for one in call.operation.get("parameters", ())
        if one["in"] == "query"
    ]
    sent = "&".join(f"{one['key']}={one['value']}" for one in found if "disabled" not in one)
    slash = [""] if call.path.endswith("/") else []
    url: dict[str, Any] = {
        "raw": "/".join(["{{baseUrl}}", *parts, *slash]) + (f"?{sent}" if sent else ""),
        "host": ["{{baseUrl}}"],
        "path": [*parts, *slash],
    }
    named = [part[1:] for part in parts if part.startswith(":")]
    if named:
        url["variable"] = [{"key": name, "value": _named_in_examples(document, call.path, name)} for name in named]
    return url | ({"query": found} if found else {})


def _named_in_examples(document: Document, path: str, name: str) -> str:
    """What stands for the name in an answer of the item's own path, or of the path."""
    item = path[: path.index(f"{{{name}}}") + len(name) + 2]
    for known in (item, path):
        for operation in document["paths"].get(known, {}).values():
            for answer in _answers(operation):
                shown = answer.example.get("item", answer.example) if isinstance(answer.example, Mapping) else {}
                if name in shown:
                    return str(shown[name])
    return ""


def _body(call: Call) -> tuple[str, dict[str, Any]] | None:
    """The kind of the first body that the operation takes, and its example; None where it takes none."""
    contents = call.operation.get("requestBody", {}).get("content", {})
    if not contents:
        return None
    kind, content = next(iter(contents.items()))
    example = SIGNED_IN if call.path == LOGIN else next(_examples(content), {})
    if kind == FORM:
        fields = [{"key": key, "value": str(value), "type": "text"} for key, value in dict(example).items()]
        return kind, {"mode": "urlencoded", "urlencoded": fields}
    language = "xml" if "xml" in kind else "json"
    return kind, {"mode": "raw", "raw": _text(example), "options": {"raw": {"language": language}}}


class Answer(NamedTuple):
    """An answer that the document has an example of."""

    status: int
    kind: str
    example: Any


def _answers(operation: Mapping[str, Any]) -> Iterator[Answer]:
    for status, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            yield from (Answer(int(status), kind, example) for example in _examples(content))


def _examples(content: Mapping[str, Any]) -> Iterator[Any]:
    """The example, or all of those that have names of their own."""
    if "example" in content:
        yield content["example"]
    yield from (named["value"] for named in content.get("examples", {}).values())


def _shown(answer: Answer) -> dict[str, Any]:
    """As Postman shows examples."""
    phrase = HTTPStatus(answer.status).phrase
    header = [{"key": "Content-Type", "value": answer.kind}]
    return {
        "name": phrase, "status": phrase, "code": answer.status, "header": header, "body": _text(answer.example)
    }  # fmt: skip


def _text(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False, indent=2)
