"""Examples that a user can copy: a claim of one's own."""
