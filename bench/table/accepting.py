"""Accepting: one message a call and a thousand a call, beside an empty view and beside PostgreSQL alone."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.table.alternating import Row, in_turn
from bench.table.callers import post
from bench.table.stage import BODY, House, Stage
from tests.servers import postgresql_program

#: How long each measure calls, in seconds.
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
CALLERS = 16
#: A thousand a call, by so many callers.
A_CALL = 1000
CALLERS_OF_MANY = 4
#: What pgbench inserts: a row of its own table, as long as a short message.
TABLE = (
    "CREATE TABLE bench_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, phone text, text text, at timestamptz)"
)
INSERT = (
    "\\set n random(1, 9999999)\n"
    "INSERT INTO bench_row (phone, text, at) VALUES ('+7916' || :n, 'Wi-Fi is back in the lobby', now());\n"
)


def rows(stage: Stage, house: House) -> list[Row]:
    """Three of them; the workers are halted meanwhile."""
    house.halt("celery")
    house.database.execute(TABLE)
    script = stage.folder() / "insert.sql"
    script.write_text(INSERT)
    found = in_turn(
        {
            "one": lambda: _and_forget(house, one_a_call),
            "empty": lambda: post(f"{house.address}/empty", _one, house.token, callers=CALLERS, seconds=SECONDS),
            "insert": lambda: _pgbench(house, script),
            "many": lambda: _and_forget(house, thousand_a_call),
        }
    )
    house.go_on("celery")
    return [
        Row("send_sms, requests/s | an empty view, same gunicorn", found["one"], found["empty"], 0.35),
        Row("send_sms, requests/s | pgbench, single INSERTs", found["one"], found["insert"], 0.15),
        Row("send_sms_batch, messages/s | pgbench, single INSERTs", found["many"], found["insert"], 3),
    ]


def one_a_call(house: House) -> float:
    """Messages accepted per second, one a call."""
    return _post(house, "send_sms", _one, CALLERS)


def thousand_a_call(house: House) -> float:
    """Messages accepted per second, a thousand a call."""
    return A_CALL * _post(house, "send_sms_batch", _thousand, CALLERS_OF_MANY)


def _post(house: House, call: str, body: Callable[[int], object], callers: int) -> float:
    url = f"{house.address}/api/v1/sms_gateways/{call}"
    return post(url, body, house.token, callers=callers, seconds=SECONDS)


def _and_forget(house: House, measure: Callable[[House], float]) -> float:
    found = measure(house)
    house.forget()
    return found


def _one(number: int) -> object:
    return {"sms_gateway": "wide", **BODY, "phone_number": f"+7916{number:07}"}


def _thousand(number: int) -> object:
    first = A_CALL * (number % 1000)
    messages = [{**BODY, "phone_number": f"+7916{first + place:07}"} for place in range(A_CALL)]
    return {"sms_gateway": "wide", "messages": messages}


def _pgbench(house: House, script: Path) -> float:
    done = subprocess.run(
        [
            postgresql_program("pgbench"), "-n", "-c", str(CALLERS), "-j", "2", "-T", str(max(1, round(SECONDS))),
            "-f", script, house.environment["DATABASE_URL"],
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])
