"""The unlock study: labels, kinds, and forecasts of unlocks on open and simulated tasks."""
