"""A process that draws figures of one run: reads their names from its input, answers on its output.

``python -m stresslab.report.artist RUN FOLDER``; it ends when its input does.
"""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import IO

from stresslab.core.errors import StresslabError
from stresslab.report.drawing import draw_into
from stresslab.report.figures import FIGURES
from stresslab.report.source import sources
from stresslab.results.run import Run


def main(path: str, folder: str) -> None:
    """Draw what the parent asks for until it closes the input."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints goes to the error stream
    _send(list(FIGURES), output)
    designs = list(sources(Run(path)))
    for line in sys.stdin:
        try:
            reply: object = draw_into(designs, line.strip(), Path(folder))
        except StresslabError as error:
            reply = error
        _send(reply, output)


def _send(reply: object, output: IO[bytes]) -> None:
    pickle.dump(reply, output)
    output.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
