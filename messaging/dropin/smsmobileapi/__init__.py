"""SMSmobileAPI's calls: what they send, and what can be read by them."""
