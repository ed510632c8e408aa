"""What apps hand down to the ground from their `apps.py`: functions as dotted strings, resolved when they are needed.

The ground imports no app, and this module imports nothing, so that it can be used before models are loaded.
"""

#: Steps of the first run, in order: functions without arguments that return a line to print, or nothing.
FIRST_RUN: list[str] = []

#: Pages an administrator is shown at the start: what it is, and its path.
PAGES: dict[str, str] = {"Admin": "/admin/", "API documentation": "/api/docs/"}

#: Functions without arguments that throw away what has had its time and return how many things they removed.
HOUSEKEEPING: list[str] = [
    "portal.housekeeping.drop_old_drafts",
    "portal.housekeeping.drop_expired_sessions",
    "portal.health.forget_old_workers",
    "portal.api.authentication.drop_old_tokens",
    "portal.api.commit.drop_old_answers",
]

#: What must be there for `/readyz`, by the name it says; functions without arguments, true where all is well.
NEEDS: dict[str, str] = {
    "database": "portal.health.database_answers",
    "broker": "portal.health.broker_answers",
    "worker": "portal.health.worker_is_alive",
}
