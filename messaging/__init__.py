"""What is said to a phone: messages, their attempts, and what became of them."""
