"""SMSC.ru's calls: sends, states and balances."""
