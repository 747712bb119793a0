"""Many tasks: on the cores of this machine, or on a Dask cluster by the same call.

Tasks come in *groups*: those of a group share values that are expensive and remembered by the process that computes them,
so a group is computed in order and, as long as it lives, by one worker process. A worker computes one task at a time, with
as many threads in its compiled loops as there are cores for it: processes times threads never exceed the cores.

What is finished is delivered at once and not lost: on this machine each result is kept (written to a store, say) by the
process that computed it; workers of a cluster need no access to this machine's files, their results are kept by the caller's
process as they arrive. There a group is computed in slices of some seconds, so that a worker that dies loses no more than that
with it; what it took is computed again by another.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from mfverify import threads
from mfverify.errors import MfverifyError, ModelError, WorkersError
from mfverify.results import code_version

Task = TypeVar("Task")
Result = TypeVar("Result")
Compute = Callable[[Task], Result]
Keep = Callable[[Task, Result], None]

FOR_EVER = float("inf")
"""A deadline that never comes."""

ALONE_SECONDS = 1.0
"""How long this process computes on its own before it starts others, which takes them about as long, unless it is told how many."""

SLICE_SECONDS = 3.0
"""How long a worker of a cluster works on a group before it returns the results so far."""

_MOST_IN_A_PARCEL = 64
"""Groups that are sent to a cluster's worker at once, where they take little time each."""

_ANSWER_SECONDS = 10.0
"""How long a scheduler may take to answer when it is first called."""

_WAIT_SECONDS = 60.0
"""How long a cluster may be without any worker before the run stops."""

_IN_USE = threading.Lock()
"""Held by the run that has the worker processes: a run that is cancelled ends them, and they could be computing for another."""

_ONE_AT_A_TIME = threading.Lock()
"""Held by the thread of a cluster's worker that computes."""


def usable_cores() -> int:
    """The cores that this process may use, by its affinity and the limits of its container."""
    from loky import cpu_count

    return int(cpu_count())


def completed(
    compute: Compute[Task, Result],
    groups: Sequence[Sequence[Task]],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    keep: Keep[Task, Result] | None = None,
) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, as they are finished; groups are started in the order given, which should be largest first.

    ``workers`` processes on this machine (by default this one for the smallest groups, and one for each usable core if that
    takes longer than a second; this one alone where it cannot have worker processes, as in a daemon), or the workers of the Dask
    cluster whose scheduler is at ``scheduler`` (an address such as ``tcp://10.0.0.1:8786``). ``keep`` is called with each result once it is finished, before it is delivered here.
    ``compute``, ``keep``, tasks and results have to survive pickling, except with one worker on this machine. Closing the
    iterator, as an interruption does, cancels unfinished tasks.

    An error of ``compute`` or ``keep`` ends the run and is raised here. Raises :class:`ModelError` where there is no such
    cluster or its workers run other code, and :class:`WorkersError` where workers were lost and not replaced. Cost beside the
    tasks themselves: ``docs/scaling-out.md`` has the measurements.
    """
    if scheduler is not None:
        with connected(scheduler) as cluster:
            yield from _on_cluster(compute, groups, cluster, keep, FOR_EVER)
        return
    left = [list(group) for group in groups if group]
    until = time.monotonic() + ALONE_SECONDS if workers is None else 0.0
    while left and time.monotonic() < until:
        task = left[-1].pop(0)
        if not left[-1]:
            left.pop()
        yield task, _finished(compute, task, keep)
    yield from _on_this_machine(compute, left, min(workers or usable_cores(), len(left)), keep)


def in_order(
    compute: Compute[Task, Result],
    tasks: Sequence[Task],
    *,
    workers: int = 1,
    cluster: Cluster | None = None,
    until: float = FOR_EVER,
) -> Iterator[Result]:
    """The result of each task, in the order of the tasks: each as soon as it and those before it are finished.

    ``workers`` processes on this machine, which stay for the next call with as many, or the workers of ``cluster``. Behind ``until``,
    a moment of ``time.monotonic()``, no task is started and a cluster is not waited for; the results end there. Closing the iterator
    leaves the processes of this machine the tasks that they have begun, at most until the program ends. Otherwise as :func:`completed`.
    """
    numbered = [[(i, task)] for i, task in enumerate(tasks)]
    compute_numbered = partial(_without_number, compute)
    on_cluster = cluster and _on_cluster(compute_numbered, numbered, cluster, None, until)
    running = on_cluster or _on_this_machine(compute_numbered, numbered, workers, leave=True)
    early: dict[int, Result] = {}
    due = 0
    with closing(running):
        for (i, _), result in running:
            early[i] = result
            while due in early:
                yield early.pop(due)
                due += 1
            if time.monotonic() > until:
                return


def _without_number(compute: Compute[Task, Result], numbered: tuple[int, Task]) -> Result:
    return compute(numbered[1])


def _finished(compute: Compute[Task, Result], task: Task, keep: Keep[Task, Result] | None) -> Result:
    result = compute(task)
    if keep is not None:
        keep(task, result)
    return result


# ------------------------------------------------------------------------------------------------------- cores of this machine


def _on_this_machine(
    compute: Compute[Task, Result],
    groups: Sequence[Sequence[Task]],
    workers: int,
    keep: Keep[Task, Result] | None = None,
    leave: bool = False,
) -> Generator[tuple[Task, Result]]:
    """On worker processes, or in this one where there is one worker, where it cannot have others or where another run has them."""
    if workers > 1 and _IN_USE.acquire(blocking=False):
        try:
            executor = _started(workers)
            if executor is not None:
                yield from _on_cores(executor, compute, groups, keep, leave)
                return
        finally:
            _IN_USE.release()
    for group in groups:
        for task in group:
            yield task, _finished(compute, task, keep)


class _Workers:
    """The worker processes of this process, which stay for the next run with as many."""

    started_by: int | None = None
    """The process that started them; one that is forked from it cannot use them."""
    executor: Any = None
    number = threads_each = 0


_THREADS_OF = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMBA", "NUMEXPR")
"""Libraries that take the number of their threads from the environment."""

_IDLE_SECONDS = 300
"""How long a worker process without a task stays."""


def _started(workers: int) -> Any:
    """An executor with so many worker processes: that of the last run where it has as many and still works.

    None where this process cannot have any: it is a daemon, which must not have children (as in ``multiprocessing.Pool`` or a
    worker of Dask); it was forked from a process that had workers, whose queues it holds; or they cannot be started.
    """
    if multiprocessing.current_process().daemon or _Workers.started_by not in (None, os.getpid()):
        return None
    try:
        from multiprocessing.resource_tracker import ensure_running

        ensure_running()  # here, because older Pythons unblock the signal when they start it
        # Workers inherit that the signal is blocked: at Control-C, which a terminal sends to all of them, this process ends them.
        with ThreadPoolExecutor(1, initializer=signal.pthread_sigmask, initargs=(signal.SIG_BLOCK, {signal.SIGINT})) as thread:
            return thread.submit(_executor, workers).result()
    except (ImportError, NotImplementedError, OSError, UnboundLocalError):  # the last from loky, without a free file descriptor
        _end_workers()
        return None


def _executor(workers: int) -> Any:
    from loky import ProcessPoolExecutor
    from loky.backend import resource_tracker

    # loky renews a worker whose memory has grown, loses no task by it, and warns from a thread of its own.
    warnings.filterwarnings("ignore", "A worker (stopped|was restarted) while some jobs were given to the executor", UserWarning)
    threads_each = max(1, usable_cores() // workers)
    if (_Workers.number, _Workers.threads_each) == (workers, threads_each) and _Workers.executor is not None:
        with suppress(BrokenExecutor):  # a worker was killed since
            _Workers.executor.submit(os.getpid)
            return _Workers.executor
    _end_workers()
    # The tracker removes what is left where this process is killed. Started with this option it does not print what that was.
    sys.warnoptions.append("ignore:resource_tracker:UserWarning")
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions.pop()
    variables = [f"{library}_NUM_THREADS" for library in _THREADS_OF] + ["VECLIB_MAXIMUM_THREADS"]
    _Workers.started_by, _Workers.number, _Workers.threads_each = os.getpid(), workers, threads_each
    _Workers.executor = ProcessPoolExecutor(
        workers,
        timeout=_IDLE_SECONDS,
        initializer=_end_with,
        initargs=(os.getpid(),),
        env=dict.fromkeys(variables, str(threads_each)),
    )
    _Workers.executor._flags.kill_workers = True  # at the end of the program, which would wait for tasks that were given up
    _Workers.executor.submit(os.getpid)  # starts the processes
    return _Workers.executor


def _end_workers() -> None:
    """End the worker processes at once, whatever they compute."""
    executor, _Workers.executor = _Workers.executor, None
    if executor is not None and _Workers.started_by == os.getpid():
        processes = list(executor._processes.values())
        executor.shutdown(kill_workers=True)
        for process in processes:  # where others could not be started
            process.terminate()
            process.join()


def _on_cores(
    executor: Any, compute: Compute[Task, Result], groups: Sequence[Sequence[Task]], keep: Keep[Task, Result] | None, leave: bool
) -> Generator[tuple[Task, Result]]:
    """One group more than there are workers is sent to them, so that none waits for the next. What is sent cannot be taken back: a run that
    ends early ends the workers, or, to ``leave`` them to the next run, lets them finish what they have, which is then one group each.
    """
    from loky.process_executor import TerminatedWorkerError

    waiting, window = iter(groups), _Workers.number + (not leave)
    sent: dict[Any, Sequence[Task]] = {}
    finished: SimpleQueue[Any] = SimpleQueue()
    try:
        while True:
            for group in islice(waiting, window - len(sent)):
                future = executor.submit(_group, compute, group, keep)
                sent[future] = group
                future.add_done_callback(finished.put)
            if not sent:
                return
            future = finished.get()
            yield from zip(sent.pop(future), future.result(), strict=True)
    except BaseException as error:
        if not (leave and isinstance(error, GeneratorExit)):
            _end_workers()
        if isinstance(error, TerminatedWorkerError):
            raise WorkersError(
                f"a worker process was killed, perhaps because memory ran out; fewer --workers than {_Workers.number} need less"
            ) from None
        raise


def _group(compute: Compute[Task, Result], group: Sequence[Task], keep: Keep[Task, Result] | None) -> list[Result]:
    return [_finished(compute, task, keep) for task in group]


def _end_with(parent: int) -> None:
    """Let this worker process end when its parent is gone, even killed: its results go nowhere, and what is finished is kept."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


# --------------------------------------------------------------------------------------------------------------- Dask cluster


@dataclass(frozen=True)
class Cluster:
    """A connection to the Dask cluster whose scheduler is at ``address``; :func:`connected` makes one."""

    address: str
    client: Any

    def room(self) -> int:
        """How many parcels to have on the cluster. Zero without workers."""
        threads: dict[str, int] = self.client.nthreads()
        return 2 * sum(threads.values())


def _on_cluster(
    compute: Compute[Task, Result], groups: Sequence[Sequence[Task]], cluster: Cluster, keep: Keep[Task, Result] | None, until: float
) -> Generator[tuple[Task, Result]]:
    """What is not finished waits here. A *parcel* is what is sent at a time, one group or several small ones; twice as many
    parcels as there are threads are on the cluster, so that none waits for the network.
    """
    waiting = deque(_Part(group) for group in groups if group)
    submitted: dict[Any, list[_Part[Task]]] = {}
    arrived: SimpleQueue[Any] = SimpleQueue()
    room = cluster.room()
    seen = time.monotonic()
    size = 1
    try:
        while waiting or submitted:
            while waiting and len(submitted) < room:
                parcel = [waiting.popleft()]
                while waiting and len(parcel) < size and waiting[0].worker is None:
                    parcel.append(waiting.popleft())
                worker = parcel[0].worker
                future = cluster.client.submit(
                    _slice,
                    compute,
                    [part.tasks for part in parcel],
                    code_version(),
                    SLICE_SECONDS,
                    pure=False,
                    priority=0 if worker is None else 1,
                    workers=worker,
                    allow_other_workers=worker is not None,
                )
                submitted[future] = parcel
                future.add_done_callback(arrived.put)
            try:
                future = arrived.get(timeout=max(0.0, min(SLICE_SECONDS, until - time.monotonic())))
            except Empty:
                if time.monotonic() > until:
                    return
                room = cluster.room()
                seen = time.monotonic() if room else seen
                if time.monotonic() - seen > _WAIT_SECONDS:
                    raise WorkersError(f"--scheduler: {cluster.address}: has had no worker for {_WAIT_SECONDS:.0f} s; start some") from None
                continue
            parcel = submitted.pop(future)
            results, seconds, worker = _gathered(future, cluster.address)
            seen = time.monotonic()
            size = min(2 * size, _MOST_IN_A_PARCEL) if seconds < SLICE_SECONDS / 4 else max(1, size // 2)
            waiting.extendleft(reversed(_unfinished(parcel, len(results), worker)))
            for task, result in zip((task for part in parcel for task in part.tasks), results, strict=False):
                if keep is not None:
                    keep(task, result)
                yield task, result
    finally:
        with _unlogged():
            cluster.client.cancel(list(submitted), force=True)


@dataclass(frozen=True)
class _Part(Generic[Task]):
    """The unfinished tasks of a group; ``worker`` is the address of the worker that began it and holds what the tasks share in memory."""

    tasks: Sequence[Task]
    worker: str | None = None


def _unfinished(parcel: Sequence[_Part[Task]], finished: int, worker: str) -> list[_Part[Task]]:
    """The unfinished parts of a parcel whose first tasks are finished; a group that was begun stays with its worker."""
    left = []
    for part in parcel:
        done = min(finished, len(part.tasks))
        finished -= done
        if done == 0:
            left.append(part)
        elif done < len(part.tasks):
            left.append(_Part(part.tasks[done:], worker))
    return left


def _slice(compute: Compute[Task, Result], groups: Sequence[Sequence[Task]], code: str, most: float) -> tuple[list[Result], float, str]:
    """In a cluster's worker: results of the first tasks, as many as are finished in ``most`` seconds, the time and the address.

    A worker process with several threads takes several parcels and computes one of them at a time, with all its threads.
    """
    from distributed import get_worker

    worker = get_worker()
    if code_version() != code:
        raise ModelError(f"--scheduler: worker {worker.address} runs another version of mfverify; install the same on every machine")
    results: list[Result] = []
    with _ONE_AT_A_TIME, threads.at_most(worker.state.nthreads):
        started = time.monotonic()
        for task in (task for group in groups for task in group):
            results.append(compute(task))
            if time.monotonic() - started > most:
                break
        seconds = time.monotonic() - started
    return results, seconds, worker.address


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """A connection to a cluster, once there is a worker. Raises :class:`ModelError` where none is to be had."""
    try:
        from distributed import Client
        from distributed.comm import connect
    except ImportError:
        raise ModelError("--scheduler: needs the package distributed; pip install 'mfverify[cluster]'") from None

    async def answers() -> None:
        comm = await connect(address, timeout=_ANSWER_SECONDS)
        await comm.close()

    # A Client that fails to connect leaves an event loop behind; collecting it as garbage can block the loop of the next Client.
    # The check has a thread of its own because the thread of a notebook's cell already runs an event loop.
    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, answers()).result()
        client = Client(address, timeout=_ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"--scheduler: {address}: no Dask scheduler answers there ({error}); an address looks like tcp://10.0.0.1:8786"
        ) from None
    try:
        try:
            client.wait_for_workers(1, timeout=_WAIT_SECONDS)
        except TimeoutError:
            raise ModelError(
                f"--scheduler: {address}: has no workers after {_WAIT_SECONDS:.0f} s; start some: dask worker {address}"
            ) from None
        yield Cluster(address, client)
    finally:
        with _unlogged():
            client.close(timeout=5)


@contextmanager
def _unlogged() -> Iterator[None]:
    """What an interrupted run still had under way fails as it is cancelled; tornado would log that beside the one line of the program."""
    logger = logging.getLogger("tornado.application")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _gathered(future: Any, address: str) -> tuple[list[Any], float, str]:
    """The outcome of a slice; errors of the computation as they are, those of the cluster as one clear line."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    try:
        outcome: tuple[list[Any], float, str] = future.result(timeout=_WAIT_SECONDS)
    except MfverifyError:
        raise
    except KilledWorker:
        raise WorkersError(
            f"--scheduler: {address}: a task was lost with its worker several times, perhaps because memory ran out; give the workers more"
        ) from None
    except (CancelledError, TimeoutError, OSError) as error:
        raise WorkersError(f"--scheduler: {address}: the scheduler is gone ({type(error).__name__}); start it again") from None
    return outcome
