"""Pictures: where tests leave them, and which of those stand in the documents (`make screenshots`)."""

import shutil

from tests.engine import REPOSITORY

SCREENSHOTS = REPOSITORY / "var" / "screenshots"
DOCUMENTS = REPOSITORY / "docs" / "screenshots"
#: By the name under which `test_pictures.py` leaves it: the name in the documents.
CHOSEN = {
    "p-dashboard": "dashboard",
    "p-message": "message",
    "p-write": "write",
    "p-gateway": "gateway",
    "p-defender": "defender",
    "p-guests": "guests",
    "p-guest": "guest",
}
#: Whoever clones the repository pays for every picture.
LARGEST = 120_000


def choose() -> None:
    """Copies the chosen ones. One that nobody left, or that is too large, stops it."""
    DOCUMENTS.mkdir(exist_ok=True)
    for left, wanted in CHOSEN.items():
        picture = SCREENSHOTS / f"{left}.png"
        if picture.stat().st_size > LARGEST:
            raise ValueError(f"{picture} is larger than {LARGEST} bytes: show less")
        shutil.copyfile(picture, DOCUMENTS / f"{wanted}.png")


if __name__ == "__main__":
    choose()
