"""Messaging's pages in the admin, a noun per file."""

from messaging.admin import (
    attempts,
    batches,
    gateway_tests,
    inbound,
    messages,
    steps,
    tallies,
    templates,
    webhook_deliveries,
    webhooks,
)

__all__ = [
    "attempts",
    "batches",
    "gateway_tests",
    "inbound",
    "messages",
    "steps",
    "tallies",
    "templates",
    "webhook_deliveries",
    "webhooks",
]
