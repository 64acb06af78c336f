"""A fault as a command tells it: what is wrong, and what to do about it."""

from api.outage import outage_of


def told(fault: Exception) -> tuple[str, str] | None:
    """Return message and remedy of an expected fault; None for one that only its trace explains."""
    remedy = getattr(fault, "remedy", None)
    if remedy is not None:
        # A knowledge fault's own words end with its remedy.
        return str(getattr(fault, "message", fault)), str(remedy)
    if outage := outage_of(fault):
        return outage.what, outage.remedy
    return _of_files(fault) if isinstance(fault, OSError) else _of_the_door(fault)


def _of_files(fault: OSError) -> tuple[str, str]:
    named = f"{fault.filename}: " if fault.filename else ""
    what = f"{named}{fault.strerror or fault}."
    return what, "Check the path, and that the user who runs Mayak may read and write there."


def _of_the_door(fault: Exception) -> tuple[str, str] | None:
    import httpx

    if isinstance(fault, httpx.TransportError):
        what = f"The running server does not answer: {str(fault) or type(fault).__name__}."
        return what, "If it has just been started, wait until it says that it is ready; else look at its log."
    return None
