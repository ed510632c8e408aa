"""How the admin looks: what Unfold is told."""

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "portal.admin_site.title",
    "SITE_HEADER": "portal.admin_site.title",
    "SITE_ICON": "portal.admin_site.symbol",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "portal.admin_site.symbol"}],
    "SITE_URL": None,
    "SHOW_HISTORY": "portal.admin_site.may_read_history",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "6px",
    "ACCOUNT": {"navigation": "portal.admin.navigation.account"},
    "COLORS": {
        # A calm blue: 600 on white and white on 600 have a contrast of 6, 500 on the dark ground one of 5.
        "primary": {
            "50": "oklch(97% .013 236)",
            "100": "oklch(94.5% .027 235)",
            "200": "oklch(89% .055 233)",
            "300": "oklch(82% .09 233)",
            "400": "oklch(74% .115 235)",
            "500": "oklch(66% .12 238)",
            "600": "oklch(49% .115 241)",
            "700": "oklch(43% .1 242)",
            "800": "oklch(38% .085 243)",
            "900": "oklch(33% .07 244)",
            "950": "oklch(25% .055 245)",
        },
        # A shade darker than Unfold's own, so that the subtle text can be read on tinted grounds too.
        "font": {
            "subtle-light": "var(--color-base-600)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-100)",
        },
    },
    "SIDEBAR": {"navigation": "portal.admin.navigation.sections"},
    "TABS": "portal.admin.navigation.tabs",
    "STYLES": ["portal.admin_site.stylesheet"],
    "SCRIPTS": ["portal.admin_site.script"],
}
