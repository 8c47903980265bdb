"""Advice: what the cheap or free offer really costs a team over many futures, and what to do."""
