"""The calls of other systems, understood as if the portal were one of them: each file translates one system's calls.

What is sent goes through `sending`, and who calls is found out as everywhere else; `door.py` is what they share.
"""
