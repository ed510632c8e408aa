"""What a fresh portal needs of gateways."""

from gateways import accounts
from gateways.models import Gateway


def make_sandbox() -> str | None:
    """Makes the gateway `sandbox` the default one where there is no gateway yet; the line to print, if it did."""
    if Gateway.objects.exists():
        return None
    accounts.create(name="sandbox", provider="sandbox", is_default=True)
    return "made the gateway 'sandbox', the default one: its messages arrive on the page /sandbox/ and nowhere else"
