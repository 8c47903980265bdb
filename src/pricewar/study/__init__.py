"""Studies: many runs of one worker over uncertainties, under several policies, with common random numbers.

A study knows nothing of what it runs. `design` says what varies and what comes out, `ensemble` runs it,
`pool` spreads it over processes, `store` keeps it on disk so that a killed run resumes, `results` labels and
summarises it. How to write a worker: docs/study.md.
"""
