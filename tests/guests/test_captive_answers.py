"""What phones are told about their captivity, as RFC 8908 has it."""

from guests.captive.answers import MEDIA_TYPE, captive_state

PORTAL, VENUE = "https://portal.example.org/guest/", "https://hotel.example.org/"


def test_the_media_type_is_the_registered_one() -> None:
    assert MEDIA_TYPE == "application/captive+json"


def test_a_captive_phone_learns_where_to_go_and_nothing_of_a_stay() -> None:
    assert captive_state(True, PORTAL, 600, True) == {"captive": True, "user-portal-url": PORTAL}


def test_a_phone_on_line_learns_what_is_left() -> None:
    assert captive_state(False, PORTAL, 600, True, VENUE) == {
        "captive": False,
        "user-portal-url": PORTAL,
        "venue-info-url": VENUE,
        "seconds-remaining": 600,
        "can-extend-session": True,
    }
    assert captive_state(False, PORTAL, -5, False)["seconds-remaining"] == 0


def test_a_stay_without_end_has_no_rest() -> None:
    assert "seconds-remaining" not in captive_state(False, PORTAL, None, False)


def test_pages_without_tls_are_left_out() -> None:
    answer = captive_state(False, "http://portal.example.org/", 600, True, "http://hotel.example.org/")
    assert answer == {"captive": False, "seconds-remaining": 600}
