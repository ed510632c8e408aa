"""Wrong settings are refused at start, each with an id and a remedy."""


def register_all() -> None:
    """Makes the checks part of every management command."""


def refuse_wrong_settings() -> None:
    """Stops the process when a check finds an error."""
