"""Parameters that several calls share, as the OpenAPI document shows them."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 255 printable ASCII characters. A repeat with the same key gets the first answer.",
)

LIST = (
    OpenApiParameter("limit", OpenApiTypes.INT, description="Rows to answer, 1 to 1000.", default=25),
    OpenApiParameter(
        "cursor", OpenApiTypes.INT, description="Rows to skip: `nextCursor` of the page before.", default=0
    ),
    OpenApiParameter("sort", OpenApiTypes.STR, description="`pid DESC,telephone`"),
    OpenApiParameter("fields", OpenApiTypes.STR, description="Only these, separated by commas."),
    OpenApiParameter("with_total_count", OpenApiTypes.BOOL, description="Whether to count all rows."),
)

NO_EXTENSION = OpenApiParameter(
    "no-expiration-extension", OpenApiTypes.STR, description="1 to ask without using the token."
)
