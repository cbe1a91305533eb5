"""Distinguishes faults of the machine from failures of a run.

A full disk, too little memory, a lost GPU or a killed worker say nothing about a method: such a run leaves no record,
no table counts it, and the same command repeats it later. Nothing here needs PyTorch.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

NOT_DONE = 3
"""The exit code if the machine was at fault."""

REMEDIES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room within your quota there",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "it must be writable",
    errno.EIO: "the disk or the network file system failed",
    errno.ESTALE: "the network file system failed",
    errno.ENXIO: "the device is gone",
    errno.ENODEV: "the device is gone",
    errno.ENOMEM: "free memory, or ask for less (model, train.batch, lengths.test)",
    errno.EAGAIN: "end other processes, or raise the limit on their number (ulimit -u)",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "close files of other processes",
}
"""Remedies for system errors that are not the run's fault."""

MEMORY = "free memory of this machine, or ask for less of it (model, train.batch, lengths.test, evaluation.examples)"
GPU_MEMORY = "free memory of the GPU, or ask for less of it (model, train.batch, lengths.test)"
GPU = "see what nvidia-smi says, or leave the GPU out (trainer=cpu)"
PROCESS = "see that nothing ends the processes of a run, as the system does when memory is short"
INSTALLATION = "install the packages anew (pip install -e .)"
COMPILER = "install a C++ compiler, or leave compiled kernels out (trainer.kernel=auto)"

SYMPTOMS = (
    (r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED", GPU_MEMORY),
    (r"can't allocate memory|[Cc]annot allocate memory|not enough memory|std::bad_alloc|[Oo]ut of memory", MEMORY),
    (r"can't start new thread|unable to create new thread", REMEDIES[errno.EAGAIN]),
    (r"Too many open files", REMEDIES[errno.EMFILE]),
    (r"No space left on device", REMEDIES[errno.ENOSPC]),
    (r"No CUDA GPUs are available|Found no NVIDIA driver|no CUDA-capable device|CUDA driver|CUDA unknown error", GPU),
    (r"CUBLAS_STATUS_NOT_INITIALIZED|CUDNN_STATUS_NOT_INITIALIZED|no NVIDIA GPU|NVML|GPU is lost", GPU),
    (r"CUDA error: (?!device-side assert|an illegal|misaligned|invalid|too many resources)", GPU),
    (r"NCCL|[Gg]loo|Connection (closed|reset) by peer|Broken pipe|TCPStore|Timed out waiting", PROCESS),
    (r"[Ff]ailed to find C compiler|No working C\+\+ compiler|InvalidCxxCompiler", COMPILER),
)
"""Patterns of PyTorch's messages, for errors whose class is not specific. CUDA errors that a program causes itself,
such as an index out of range, are not among them.
"""


class MachineFault(RuntimeError):
    """A fault of this machine. The message says what happened and what helps."""


def explain(error: BaseException) -> str | None:
    """One line on the machine's fault behind an error and what helps; ``None`` if the run itself is at fault."""
    for cause in _causes(error):
        if isinstance(cause, MachineFault):
            return str(cause)
        if isinstance(cause, OSError):
            if cause.errno in REMEDIES:
                return _os_error_line(cause)
        elif isinstance(cause, MemoryError):
            return f"memory is used up{_detail(cause)}. What helps: {MEMORY}"
        elif isinstance(cause, ImportError):
            return f"the installation is broken{_detail(cause)}. What helps: {INSTALLATION}"
        elif isinstance(cause, RuntimeError):
            for symptom, remedy in SYMPTOMS:
                if re.search(symptom, str(cause)):
                    return f"{_line(cause)}. What helps: {remedy}"
    return None


def is_machine_fault(error: BaseException) -> bool:
    """Whether an error is the machine's and not the run's, so that it leaves no record. All system errors are, such as
    a missing or unwritable file, even where no remedy is known.
    """
    return isinstance(error, OSError) or explain(error) is not None


def with_path(path: Path, error: BaseException) -> BaseException:
    """The same error with the path of the file it concerns, if it is a system error without it."""
    number = error.errno if isinstance(error, OSError) else _rust_errno(error)
    if number is None or (isinstance(error, OSError) and error.filename is not None and Path(error.filename) == path):
        return error
    return OSError(number, os.strerror(number), str(path))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__


def _os_error_line(error: OSError) -> str:
    assert error.errno is not None
    said = os.strerror(error.errno)
    if not isinstance(error.filename, str):
        return f"{said}. What helps: {REMEDIES[error.errno]}"
    return f"{error.filename}: {said}. What helps: {REMEDIES[error.errno]}{_room(error)}"


def _room(error: OSError) -> str:
    """How much is free where a file did not fit."""
    if error.errno != errno.ENOSPC:
        return ""
    for folder in Path(error.filename).absolute().parents:
        try:
            return f" ({shutil.disk_usage(folder).free / 1e6:.1f} MB are free in {folder})"
        except OSError:
            continue
    return ""


def _rust_errno(error: BaseException) -> int | None:
    """The errno in the message of a library written in Rust, such as safetensors."""
    found = re.search(r"\(os error (\d+)\)", str(error)) if isinstance(error, Exception) else None
    return int(found[1]) if found else None


def _detail(error: BaseException) -> str:
    line = _line(error)
    return f" ({line})" if line else ""


def _line(error: BaseException) -> str:
    """The first line of a message, at most 300 characters."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")[:300].rstrip(".")
