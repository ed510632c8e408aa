"""How people come in: second factors, passkeys, what ends a session, and being asked again before what matters.

Passwords are Django's. Programs sign in to the API only, in `portal/api/`.
"""
