"""What a format could not hold as it is."""


class ExportWarning(UserWarning):
    """A file was written, but its format cut something that it says: a name, a text."""
