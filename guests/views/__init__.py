"""The guest pages, as a phone in a captive network shows them: each makes one call and asks for no JavaScript."""
