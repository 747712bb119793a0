"""One file for each verb of the command line; the command has the name of its file, and nothing else lists it."""
