"""What can be wrong with a backup, each with its remedy; nothing has been changed when one is raised."""


class BackupFault(Exception):
    """A backup cannot be taken, read or restored; `remedy` says what to do."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


ANOTHER = "Take another backup: mayak backup verify FILE tells which one is whole."


class NotABackup(BackupFault):
    """The file was not written by `mayak backup`."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"This is no backup of Mayak: {why}.", remedy="Name a file that mayak backup has written."
        )


class Damaged(BackupFault):
    """The file is cut off or was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The backup is damaged: {why}.", remedy=ANOTHER)


class WrongPassphrase(BackupFault):
    """The passphrase does not open the file, or none was given."""

    def __init__(self, why: str = "The passphrase does not open this backup.") -> None:
        super().__init__(
            why,
            remedy="Give the one it was sealed with: --passphrase-file FILE, or type it when asked. Without it nobody can read it.",
        )
