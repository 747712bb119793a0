"""The independent checker of certificates: one file, the standard library only, no code shared with the rest."""
