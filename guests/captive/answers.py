"""What phones ask of a network that keeps them captive: RFC 8908, Captive Portal API."""

MEDIA_TYPE = "application/captive+json"


def captive_state(
    captive: bool, portal_url: str, seconds_remaining: int | None, can_extend: bool, venue_url: str = ""
) -> dict[str, bool | int | str]:
    """The answer of RFC 8908, section 5; the view gives it as MEDIA_TYPE and lets no shared cache keep it.

    Both pages must be reached over TLS, so that others are left out. What is left of the stay, and whether it can be
    extended, is said to those only who are on line.
    """
    answer: dict[str, bool | int | str] = {"captive": captive}
    pages = {"user-portal-url": portal_url, "venue-info-url": venue_url}
    answer |= {name: url for name, url in pages.items() if url.startswith("https://")}
    if not captive and seconds_remaining is not None:
        answer["seconds-remaining"] = max(0, seconds_remaining)
    if not captive and "user-portal-url" in answer:
        answer["can-extend-session"] = can_extend
    return answer
