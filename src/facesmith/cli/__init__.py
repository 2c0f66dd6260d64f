"""The command line: one verb a job. Nothing heavy is imported before a verb is known."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import shlex
import shutil
import sys
import warnings
from pathlib import Path

from facesmith.base.version import VERSION

VERBS = {
    "demo": "train on the built-in portraits, a few minutes on a CPU",
    "download": "fetch a known data set by name, checked",
    "prepare": "turn photos into a dataset; says what it rejected and why",
    "audit": "say who is in a dataset and who is not, and what helps",
    "train": "train a recipe on photos or a dataset",
    "diagnose": "say what is wrong with a run, and what mends it",
    "compare": "put runs side by side: settings, figures, verdicts, pictures",
    "generate": "make faces with a trained model",
    "recipes": "list the recipes",
    "describe": "show a recipe's networks layer by layer",
}

CONTINUED = ("demo", "download", "prepare", "train")
"""Verbs that go on where they were stopped."""

HELP = f"""facesmith {VERSION}: a folder of photos becomes a face generator

usage: facesmith VERB [options]

{chr(10).join(f"  {verb:<9} {does}" for verb, does in VERBS.items())}

Each verb explains itself:  facesmith VERB --help
Begin with:                 facesmith demo"""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    Args:
        arguments: What was typed after `facesmith`; taken from the process by default.
    """
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one verb.

    Args:
        arguments: The verb and its options.

    Returns:
        The exit code: 0 ok, 1 bug, 2 usage, 3 bad data, 4 diverged, 5 disk, 6 missing extra,
        7 download, 128 + number for a signal.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP)
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"facesmith {VERSION}")
        return 0
    _log_to_terminal()
    warnings.showwarning = _show_warning
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A folder's name that the terminal cannot spell must not end a training.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _run(*arguments)
    finally:
        _let_the_reader_go()


def _run(verb: str, *rest: str) -> int:
    # Needed early, and light: neither imports torch.
    from facesmith.base.errors import FacesmithError, UsageError
    from facesmith.base.registry import did_you_mean

    try:
        if verb not in VERBS:
            raise UsageError(
                f"There is no verb {verb!r}{did_you_mean(verb, list(VERBS))}.",
                needed=f"one of {', '.join(VERBS)}",
                todo="facesmith --help",
            )
        module = importlib.import_module(f"facesmith.cli.{verb}")
        code: int = module.run(list(rest))
    except FacesmithError as error:
        print(f"facesmith {verb}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        # Training saves and says so itself; this came before it, or to another verb.
        again = f"; the same command continues: {command()} {shlex.join([verb, *rest])}"
        print(f"\ninterrupted{again if verb in CONTINUED else ''}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    return code


def _let_the_reader_go() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone, as in `facesmith recipes | head -1`. What is still
        # buffered must not fail again when the interpreter leaves.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command() -> str:
    """Say how this program is called here, for the next command that a verb prints.

    Returns:
        `facesmith` where the shell finds it, else the path it was started by.
    """
    here = Path(sys.argv[0])
    if here.name == "__main__.py":
        return "python -m facesmith"
    return str(here) if here.name == "facesmith" and not shutil.which("facesmith") else "facesmith"


class _Terminal(logging.Handler):
    """Prints where stderr leads at the moment: a live display takes it over for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # nobody reads: no reason to stop training
            print(self.format(record), file=sys.stderr, flush=True)


def _log_to_terminal() -> None:
    handler = _Terminal()
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger("facesmith").handlers = [handler]
    logging.getLogger("facesmith").setLevel(logging.INFO)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    with contextlib.suppress(OSError):
        print(f"warning: {message}", file=sys.stderr)
