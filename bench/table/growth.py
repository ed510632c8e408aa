"""Two portals side by side, one with a history: whether accepting and sending cost more than in the other."""

import os
from functools import partial

from bench.table.accepting import one_a_call
from bench.table.alternating import Row, in_turn
from bench.table.sending import MESSAGES, sends
from bench.table.stage import House, Stage

HISTORY = int(os.environ.get("BENCH_HISTORY", "2000000"))
#: Over 20 days, so that nothing is due for retention; most were delivered, some failed, some still wait for a receipt.
FILL = """
INSERT INTO messaging_message (
    kind, priority, phone, recipient_label, gateway_id, wanted_id, only_here, masked_text, encoding, segments, created,
    valid_until, state, epoch, waits_for, reason, failures, unclear, reference, code_digest, submitted_at, finished_at,
    asked, door
)
SELECT
    CASE n %% 3 WHEN 0 THEN 'code' WHEN 1 THEN 'credentials' ELSE 'information' END, 1 + n %% 3,
    '+7916' || lpad((n::bigint * 7919 %% 10000000)::text, 7, '0'), '', gateway, gateway, false, '', 'UCS-2',
    1 + n %% 3, at, at + interval '1 day',
    CASE WHEN n > %(count)s - %(count)s / 1000 THEN 'submitted' WHEN chance < 900 THEN 'delivered'
         WHEN chance < 960 THEN 'no_receipt' WHEN chance < 985 THEN 'undelivered' WHEN chance < 999 THEN 'failed'
         ELSE 'unresolved' END,
    1, '', '', 0, CASE WHEN chance < 999 THEN 0 ELSE 1 END, md5(n::text), '', at,
    CASE WHEN n > %(count)s - %(count)s / 1000 THEN NULL ELSE at + interval '5 s' END, 0, 'api'
FROM (
    SELECT n, n::bigint * 2654435761 %% 1000 AS chance, (SELECT min(id) FROM gateways_gateway) AS gateway,
           now() - interval '20 days' + n * (interval '20 days' / %(count)s) AS at
    FROM generate_series(1, %(count)s) AS n
) AS numbers
"""
ATTEMPTS = """
INSERT INTO messaging_attempt (
    message_id, gateway_id, epoch, key, started_at, finished_at, outcome, reference, reference_key, detail, exchange
)
SELECT id, gateway_id, 1, 'portal-' || id, created, created + interval '1 s', 'accepted', reference, reference, '',
       '{"status": 200, "body": "{\\"id\\": 1}"}'
FROM messaging_message
"""
#: Each was accepted by a call.
AUDIT = """
INSERT INTO portal_auditevent (
    at, user_id, user_name, address, action, object_id, method, path, request, changes, status
)
SELECT created, (SELECT min(id) FROM portal_user), 'admin', '127.0.0.1', 'sms_gateways/send_sms', id, 'POST',
       '/api/v1/sms_gateways/send_sms', '{"message": "26 characters"}', '{}', 200
FROM messaging_message
"""


def rows(stage: Stage, house: House) -> list[Row]:
    """Two: accepting and sending."""
    aged = stage.house("aged", 3)
    aged.halt("celery")
    aged.database.execute(FILL, {"count": HISTORY})
    aged.database.execute(ATTEMPTS)
    aged.database.execute(AUDIT)
    aged.inside("count_history()")
    aged.note_past()
    # What the rows before left in the one that has no history.
    house.database.execute("TRUNCATE portal_auditevent")
    _tidy(aged, house)
    measures = {}
    for name, one in (("aged", aged), ("new", house)):
        measures[f"accept {name}"] = partial(_accepts, one)
        measures[f"send {name}"] = partial(_sends, one)
    found = in_turn(measures)
    house.go_on("celery")
    after = f"after {HISTORY:,} messages | in a new portal"
    return [
        Row(f"send_sms, requests/s, {after}", found["accept aged"], found["accept new"], 0.9),
        Row(f"sending, messages/s, {after}", found["send aged"], found["send new"], 0.9),
    ]


def _tidy(*houses: House) -> None:
    """What PostgreSQL would do by and by, and in the middle of a round."""
    for house in houses:
        house.database.execute("VACUUM ANALYZE")
    houses[0].database.execute("CHECKPOINT")


def _accepts(house: House) -> float:
    house.halt("celery")
    found = one_a_call(house)
    house.forget()
    return found


def _sends(house: House) -> float:
    found = sends(house, MESSAGES)
    # The other one is next.
    house.halt("celery")
    return found
