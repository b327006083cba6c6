"""What nbdurable raises: errors a program may catch, and pauses it must not."""

from __future__ import annotations

from nbdurable.errors.limits import CellTimedOut, TimedOut
from nbdurable.errors.pauses import (
    AlreadyHappened,
    CallInDoubt,
    CallPause,
    CallRefused,
    HappenedBeforeRerun,
    HappenedElsewhere,
    KeysDiffer,
    ResultGone,
    TwinHappened,
)
from nbdurable.errors.refusals import (
    DigestRefused,
    NotDone,
    NothingDurable,
    OptionUnknown,
    OutsideCall,
    PackageAbsent,
    ReferenceUnknown,
    ToolRefused,
    WorkerDied,
)
from nbdurable_store.errors import DurableError, DurablePause
from nbdurable_store.form import Remedy

__all__ = [
    "AlreadyHappened",
    "CallInDoubt",
    "CallPause",
    "CallRefused",
    "CellTimedOut",
    "DigestRefused",
    "DurableError",
    "DurablePause",
    "HappenedBeforeRerun",
    "HappenedElsewhere",
    "KeysDiffer",
    "NotDone",
    "NothingDurable",
    "OptionUnknown",
    "OutsideCall",
    "PackageAbsent",
    "ReferenceUnknown",
    "Remedy",
    "ResultGone",
    "TimedOut",
    "ToolRefused",
    "TwinHappened",
    "WorkerDied",
]
