"""Addresses that others give us to call: webhooks, and programs that ask for reports."""

from urllib.parse import SplitResult, urlsplit


def parts_of(url: str) -> SplitResult | None:
    """The parts of an address; None where it is none. Which of them it may have, the caller says."""
    if not url.isprintable() or any(character.isspace() for character in url):
        return None
    try:
        split = urlsplit(url)
        # A port that is none says so only when it is asked for.
        port = split.port
    except ValueError:
        return None
    return None if port == 0 else split
