"""The reports over the whole library."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from benchmarks.doors import application, caller, inside
from benchmarks.libraries import Library
from benchmarks.measuring import Act, Figure, Taken, milliseconds, times_of
from sop_server.services.reports import reporting
from sop_server.services.reports.managing import manager_home
from sop_server.serving import settle

DRIFT_AIM = 300.0

_ROUNDS = 7


def figures(library: Library) -> Iterator[Figure]:
    """Measure the reports at the service, the drift score at a past instant, a manager's home, and by the API."""
    stores, actor = library.stores, library.cast["manager"]
    now = stores.clock()

    def asked(report: Act) -> list[Taken]:
        report()
        # As the server does every five minutes.
        settle()
        return times_of([report] * library.samples(_ROUNDS))

    today, past = reporting.ReportRequest(), reporting.ReportRequest(at=now - timedelta(days=200))
    drift = partial(reporting.drift_report, stores, actor=actor, now=now)
    staleness = partial(reporting.staleness_report, stores, actor=actor, request=today, now=now)
    window = partial(reporting.window_report, stores, actor=actor, request=today, now=now)
    yield milliseconds("drift report", library.sops, asked(partial(drift, request=today)), aim=DRIFT_AIM)
    yield milliseconds("drift report of a past instant", library.sops, asked(partial(drift, request=past)))
    yield milliseconds("staleness report", library.sops, asked(staleness))
    yield milliseconds("window report", library.sops, asked(window))
    home = partial(manager_home, stores, actor=actor, now=now)
    yield milliseconds("home of a manager, months not worked out", library.sops, times_of([home], warm=False))
    yield milliseconds("home of a manager", library.sops, asked(home))
    call = inside(application(library), caller(library, "manager"))
    yield milliseconds("drift report, API", library.sops, asked(partial(call, "/api/v1/reports/drift")))
    yield milliseconds("staleness report, API", library.sops, asked(partial(call, "/api/v1/reports/staleness")))
