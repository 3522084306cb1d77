"""Offline evaluation: scores with confidence intervals, thresholds, reports, the parity check."""
