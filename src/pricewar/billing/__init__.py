"""Billing: usage × offer → an itemised bill, exact.

`tariff` turns an offer into rules that are resolved once per kind of request; `batch` and `cells` hold a
piece of the log as arrays and sums; `kernel` is the compiled pass that keeps allowances and limits; `run`
takes one tariff through the log; `bill` multiplies token sums by exact rates; `as_logged` prices each request
at its own model's list price; `desk` bills one log on many offers and ranks them, `remarks` says what to know
of each; `document` is the answer as plain data.
"""
