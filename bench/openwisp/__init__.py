"""The peer openwisp-radius: `environment.py` installs it apart from the portal, `peer.py` runs and drives it.

`project/` is read in the peer's environment, with neither the portal nor the bench beside it.
"""
