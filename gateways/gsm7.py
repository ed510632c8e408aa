"""The alphabet of SMS in 7 bits; a text with any other character is sent in UCS-2."""

#: 3GPP 23.038 6.2.1, without the escape at 0x1B, which is no character of its own.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: 3GPP 23.038 6.2.1.1: an escape and a second septet.
EXTENDED = frozenset("\f^{}\\[~]|€")
