"""What captive portals pass along with a guest, and how the guest gets on line with it. Knows no models and no HTTP.

What was passed is read by the table in `dialects` into an `Arrival` (`arrivals`); `forms` makes of it the form by which
the guest logs in at the network. Everything passed may have been written by anybody: `reading` drops what is not what
it should be, and nobody is sent to a host that is not in the administrator's list (`hosts`). `answers` is RFC 8908.
"""
