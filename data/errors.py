"""Errors that a user can cause or mend: one sentence and a hint each."""


class GridsteadError(Exception):
    """Base of every error that is shown to the user without a traceback.

    Parameters
    ----------
    message
        One sentence that names the file, row, column or key at fault.
    hint
        What to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GridsteadError):
    """The command, study, workload or parameter names something that does not exist."""

    exit_code = 2


class CatalogueError(UsageError):
    """The source catalogue or its lock is not valid."""


class StudyError(UsageError):
    """The study file is not valid."""


class WorkloadError(UsageError):
    """A workload profile is not valid."""


class PullError(GridsteadError):
    """A source could not be fetched."""


class PassingPullError(PullError):
    """A fetch failed for a reason that may pass: the network or the server, not the request."""


class IntegrityError(PullError):
    """Bytes do not match what the lock says, or an archive is damaged or hostile."""


class ReadError(GridsteadError):
    """A file was fetched but cannot be read as its catalogue entry says."""


class InputError(GridsteadError):
    """A file that the user supplied cannot be used."""


class MeasureError(GridsteadError):
    """A chunk of parcels could not be measured, and the study does not let the run go on."""


class ClusterError(GridsteadError):
    """The cluster cannot be reached, or its workers cannot do the work."""


class CheckError(GridsteadError):
    """A check of error severity failed; nothing was published."""


class BuildError(GridsteadError):
    """There is no build, or it cannot be opened or published."""


class LackingError(BuildError):
    """A build lacks a table or a column, as one of another version does."""
