"""Offers: what vendors charge, with the fine print, dated and sourced.

`schema` says what a tariff can say, `facts/` holds our own records, `listed` adapts the list prices of
genai-prices, `catalogue` joins them and answers "as of" and "in force", `explain` says an offer in words.
"""
