"""Gateways in the admin: adding one, its page, its list; and what can be done with it.

Messaging hands down its own actions to `ACTIONS`: gateways know no messages.
"""

from gateways.admin.actions import ACTIONS, action
from gateways.admin.gateway import GatewayAdmin
from gateways.admin.wording import told

__all__ = ["ACTIONS", "GatewayAdmin", "action", "told"]
