"""Unfold's own words, named here so that they come into our catalogue: it brings no translation of its own.

Only those which our pages can show and for which neither Django nor django-import-export has Russian ones.
"""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

LISTS = (
    _("Select action"),
    _("Select action to run"),
    _("Select record"),
    _("Select all rows"),
    _("Select value"),
    _("Run"),
    _("More actions"),
    _("Expand row"),
    _("Apply Filters"),
    _("No data"),
    _("No results found"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Reset filters"),
    _("Previous"),
    _("Next"),
)
FILTERS = (
    _("From"),
    _("To"),
    _("Value"),
    _("Date"),
    _("Date from"),
    _("Date to"),
    _("Not enough data."),
)
FORMS = (
    _("General"),
    _("Go back"),
    _("True"),
    _("False"),
    _("Add new item"),
    _("Current file"),
    _("Choose file to upload"),
    _("Click to download"),
    _("Image preview"),
    _("Record picture"),
    _("Toggle password visibility"),
    _("This item will be deleted."),
    _("Click to cancel"),
    _("Submit"),
    _("After you've created a user, you’ll be able to edit more user options."),
)
IMPORT_AND_EXPORT = (
    _("Select format"),
    _("This exporter will export the following fields"),
    _("View traceback"),
    ngettext_lazy(
        "\n                    Export %(len)s selected item.\n                ",
        "\n                    Export %(len)s selected items.\n                ",
        "len",
    ),
)
ACCOUNT = (
    _("Welcome back to"),
    _("Forgotten your password or username?"),
    _("You have been successfully logged out from the administration"),
)
