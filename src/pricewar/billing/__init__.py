"""Billing: usage × offer → an itemised bill, exact.

`tariff` turns an offer into rules that are resolved once per kind of request; `batch` holds a piece of the
log as arrays; `kernel` is the compiled pass that keeps allowances and limits; `bill` multiplies token sums
by exact rates; `desk` bills one log on many offers and ranks them.
"""
