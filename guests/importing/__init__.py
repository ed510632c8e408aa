"""Guests out of a CSV file: read (`files`), columns named (`columns`), each row tried and imported (`rows`, `steps`).

Knows no HTTP. `cells` says what a cell means.
"""
