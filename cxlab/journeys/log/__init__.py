"""What the log of contacts holds: contacts, sessions, and signs of friction in them."""
