"""The captcha of the guest pages: work that the browser does by itself, or a picture for the guest to read.

A form has it by `CaptchaForm`; any other door calls `check`. Both kinds keep in the database what was taken already,
and nothing in a cache. Who is asked is not decided here.
"""

from guests.captcha.answers import Answer, Unproven, check
from guests.captcha.fields import CaptchaField
from guests.captcha.forgetting import forget_old_challenges
from guests.captcha.forms import CaptchaForm

__all__ = ["Answer", "CaptchaField", "CaptchaForm", "Unproven", "check", "forget_old_challenges"]
