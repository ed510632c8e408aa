"""Any provider by HTTP, described in a form: templates of what it is asked, rules for what it answers. Pure.

`form.py` is the form and `checks.py` what it refuses, `templates.py` fills requests, `rules.py` and `calls.py` read
what comes back, `ways.py` lets us in; the provider's file is `providers/http.py`.
"""
