"""Points in time on the guest pages."""

from django import template

from guests import moments

register = template.Library()
register.filter("moment", moments.moment)
register.filter("day_and_time", moments.day_and_time)
