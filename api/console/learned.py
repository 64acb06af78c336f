"""Cases that ended are looked at beside the pages: nobody waits for it, and what one process leaves the next takes up."""

from api.console.jobs import Job, Tell, jobs
from api.console.visit import Visit
from api.learning import Learning

JOB = "lessons"


def learn_soon(visit: Visit, *, anew: bool = True) -> Job:
    """Look at the cases that ended; with `anew` after what runs, which may have begun before this one ended."""
    learning = Learning(visit.house.building)

    async def work(tell: Tell) -> int:
        return await learning.gather()

    return jobs(visit.request).start(JOB, work, by=visit.who.login, anew=anew)
