"""What all errors have in common that a person can mend."""


class PlainError(Exception):
    """Its message says what is wrong, what was got and expected, and how to mend it. The command line prints it and
    ends with exit code 1; any other error is a fault of the program."""
