"""The action envelope of Runtel PBX: one address, to which every call is posted as an action of an object.

Source: https://doc-cp.runtel.ru/api/api_auth.html. The envelope and the object `User` are as documented there. What
is not documented, errors above all, is ours: HTTP 200, and the API's own status in `code`.
"""
