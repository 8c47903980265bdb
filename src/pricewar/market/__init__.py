"""The market: a price war among vendors as an economic model, its conduct, and the stages it goes through."""
