"""What a page shows: whether it fits, which of its words are in the wrong language, and what axe finds in it."""

import re
from functools import cache
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from gateways import providers
from gateways.outcomes import Outcome, ReceiptState
from portal.permissions import Right

WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 390, "height": 844}
SERIOUS = {"serious", "critical"}

#: Everything people read or hear, shown now or later. Icons are drawn by the name of their letters; code is code.
TEXTS = """() => {
    const silent = 'script, style, noscript, code, pre, kbd, [translate=no], .material-symbols-outlined, .swagger-ui';
    const found = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (!node.parentElement.closest(silent)) found.push(node.data);
    for (const element of document.querySelectorAll('[placeholder], [title], [aria-label], [alt]'))
        if (!element.closest(silent))
            for (const name of ['placeholder', 'title', 'aria-label', 'alt'])
                found.push(element.getAttribute(name) || '');
    for (const button of document.querySelectorAll('input[type=submit], input[type=button]')) found.push(button.value);
    return found.map(text => text.trim()).filter(text => text);
}"""
#: What makes a page scroll sideways. What scrolls inside it must be reached by keyboard, which is axe's to say.
WIDTHS = """() => {
    const width = window.innerWidth;
    const named = element => `<${element.tagName.toLowerCase()} id="${element.id}" class="${element.className}">`;
    const faults = [];
    if (document.documentElement.scrollWidth > width) {
        const beyond = [...document.querySelectorAll('body *')].filter(element => {
            const box = element.getBoundingClientRect();
            return box.width && box.right > width + 1;
        });
        faults.push(`wider than the window by ${document.documentElement.scrollWidth - width}: `
            + beyond.slice(-3).map(named).join(' '));
    }
    return faults;
}"""
#: The API's document is drawn by Swagger UI, whose faults are not ours to mend.
OURS = {"exclude": [[".swagger-ui"]]}
#: Words that are the same in every language: names of products, protocols and formats.
NAMES = (
    "API CSV DELETE E-mail GET GSM HTTP HTTPS ID IP JSON OAuth OpenAPI PATCH POST PUT QR SMS SMSGate "
    "Swagger TOTP UCS URL Wi-Fi English Русский Control Command Mac SIM SID smsc Kannel LDAP Single Sing On "
    "Account Auth token Messaging Service Authorization AC SK regex xpath ERR max concatenation smsbox sendsms "
    "IPv6 SMPP Android iPhone Python Django SQLite PostgreSQL Redis UTF Windows XML Content Type SHA "
    "koi8 Basic Bearer OAuth2 MAC SSID PNG JPEG WebP RU KZ DE cookie ALTCHA Standard Webhooks webhook "
)
WORD = re.compile(r"[^\W\d_]\w*")
#: What programs read: addresses, names of actions, placeholders, beginnings of tokens, plain letters in quotes.
CODE = re.compile(r"[0-9a-f]{6,}…|[«“\"][\x20-\x7e]+[»“”\"]|\S*(?:[_@/=$%&{}<>#]|\w[.:+]\w)\S*")
LATIN, CYRILLIC = re.compile(r"[A-Za-z]{2}"), re.compile(r"[А-Яа-яЁё]")
FOREIGN = {"ru": LATIN, "en": CYRILLIC}


@cache
def same_in_every_language() -> frozenset[str]:
    """Names, labels of providers, what settings of theirs may say, and rights as the documents spell them."""
    labels = [*(str(label) for _, label in providers.choices()), *(right.label for right in Right)]
    spelt = [NAMES, *labels, *providers.names(), *Outcome.values, *ReceiptState.values]
    return frozenset(word for text in spelt for word in WORD.findall(text))


def foreign_words(page: Page, language: str, ours: frozenset[str]) -> list[str]:
    """Texts with a word that is in the other language and neither a name nor one of the rows' own."""
    known = {word.lower() for word in same_in_every_language() | ours}
    found = []
    for text in page.evaluate(TEXTS):
        words = [word for word in WORD.findall(CODE.sub(" ", text)) if FOREIGN[language].search(word)]
        strange = [word for word in words if word.lower() not in known]
        if strange:
            found.append(f"{' '.join(strange)} in: {text[:200]}")
    return found


def words_of(texts: list[str]) -> frozenset[str]:
    """The words in texts of ours."""
    return frozenset(word for text in texts for word in WORD.findall(text))


def overflow(page: Page) -> list[str]:
    """Why the page scrolls sideways, if it does."""
    found: list[str] = page.evaluate(WIDTHS)
    return found


def barriers(page: Page) -> list[str]:
    """Axe's violations of serious or critical kind. It comes through the debugger, which no policy of ours stops."""
    results: dict[str, Any] = Axe().run(page, OURS, {"resultTypes": ["violations"], "preload": False}).response
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']} {node['html'][:300]} {_why(node)}"
        for violation in results["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(found["message"] for kind in ("any", "all", "none") for found in node[kind])


def darken(page: Page) -> None:
    """The dark side of the page, by the theme switch's own state where there is one."""
    page.emulate_media(color_scheme="dark")
    page.evaluate("() => { if (window.Alpine) Alpine.$data(document.documentElement).adminTheme = 'dark' }")
