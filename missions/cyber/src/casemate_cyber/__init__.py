"""Cyber-threat detection: Sigma rules over event logs, in one pass. The mission stands in `mission`."""
