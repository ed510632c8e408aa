"""The OpenAPI document: every operation with its rights, its errors and an example."""

from drf_spectacular.openapi import AutoSchema


class PortalSchema(AutoSchema):
    """Reads what a view declares."""
