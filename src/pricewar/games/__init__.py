"""Exact dynamic games: one file per paper, the solvers beside them."""
