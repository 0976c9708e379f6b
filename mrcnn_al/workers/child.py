"""A process that scores images for the one that started it, and ends with it.

`python -m mrcnn_al.workers.child NUMBER`: standard input gives a ScoringJob and then image ids,
each a line of JSON. The open file of that number takes an empty object when the model is ready,
then the scores of each image; of what cannot be used the message, and that is the end.
"""

import json
import os
import queue
import sys
import threading

from mrcnn_al.errors import UserError
from mrcnn_al.workers.image_scorer import ImageScorer, ScoringJob


def _read(lines: queue.SimpleQueue) -> None:
    for line in sys.stdin:
        lines.put(json.loads(line))
    # The other process has ended, or wants no more of this one: nobody waits for an answer.
    os._exit(1)


def _work(lines: queue.SimpleQueue, answer) -> None:
    scorer = ImageScorer(ScoringJob(**lines.get()))
    answer({})
    while True:
        answer({"line": scorer.line(lines.get())})


def main() -> None:
    """Works until standard input is at its end."""
    answers = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")

    def answer(value: dict) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    lines: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    try:
        _work(lines, answer)
    except (UserError, OSError) as error:
        answer({"error": str(error)})
        sys.exit(2)


if __name__ == "__main__":
    main()
