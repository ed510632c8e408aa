"""The logo on the guest pages: what picture it may be. Knows no HTTP."""

from io import BytesIO

from django.utils.translation import gettext as _
from PIL import Image

from portal.errors import Refusal

#: In bytes: the whole page stays below 50 KB, as pages of captive portals must.
LARGEST = 20 * 1024
#: In pixels; more is never seen, and costs the phone memory.
LONGEST_SIDE = 1200
#: As Pillow calls them, and as browsers do. No SVG: it may hold programs.
KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def kind_of(picture: bytes) -> str:
    """The media type of a picture that may be a logo. Raises Refusal (field `logo`), which says what to do."""
    if len(picture) > LARGEST:
        sentence = _("This picture has %(size)d KB, and %(most)d are allowed: make it smaller, or save it as WebP.")
        raise _refused(sentence % {"size": -(-len(picture) // 1024), "most": LARGEST // 1024})
    image = _opened(picture)
    if max(image.size) > LONGEST_SIDE:
        sentence = _("This picture has %(width)d × %(height)d pixels: make it %(most)d wide and high at most.")
        raise _refused(sentence % {"width": image.width, "height": image.height, "most": LONGEST_SIDE})
    try:
        image.load()
    except Exception:  # noqa: BLE001 — decoders raise whatever they like
        raise _refused(_("This picture is damaged: save it anew as PNG.")) from None
    return KINDS[str(image.format)]


def _opened(picture: bytes) -> Image.Image:
    """The picture with its size, and nothing decoded yet."""
    try:
        return Image.open(BytesIO(picture), formats=list(KINDS))
    except Exception:  # noqa: BLE001 — as above
        raise _refused(_("This is no PNG, JPEG or WebP picture: save it as one of these.")) from None


def _refused(sentence: str) -> Refusal:
    return Refusal(sentence, field="logo")
