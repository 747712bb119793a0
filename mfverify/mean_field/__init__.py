"""The mean-field limit: the value of infinitely many agents, and what it says of finitely many."""
