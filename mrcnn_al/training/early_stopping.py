"""When training has stopped to help."""

from collections.abc import Callable

import numpy as np


class EarlyStopping:
    """Keeps the weights of the epoch with the lowest validation loss.

    Args:
        patience: epochs without a lower loss after which to stop; None: never, and no weights
            are kept.

    Attributes:
        best_loss: the lowest so far; None before the first epoch.
        waited: epochs since then.
        best_weights: of that epoch; empty before the first.
    """

    def __init__(self, patience: int | None):
        self.patience = patience
        self.best_loss: float | None = None
        self.waited = 0
        self.best_weights: list[np.ndarray] = []

    @property
    def stopped(self) -> bool:
        """Whether to train no more."""
        return self.patience is not None and self.waited >= self.patience

    def epoch_ended(self, loss: float, weights: Callable[[], list[np.ndarray]]) -> None:
        """Takes note of an epoch.

        Args:
            loss: on the validation images.
            weights: gives copies of the weights that the loss is of.
        """
        if self.patience is None:
            return
        if self.best_loss is None or loss < self.best_loss:
            self.best_loss, self.waited, self.best_weights = loss, 0, weights()
        else:
            self.waited += 1
