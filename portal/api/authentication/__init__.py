"""Who is calling: tokens, API keys, and passwords with every call. Each way ends with a user and what let it in."""
