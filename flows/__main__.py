"""`python -m flows`: the command line, where the console script is not on the path."""

from flows.cli import entry

if __name__ == "__main__":
    entry()
