"""How the learning rate goes up and down."""

import math
from collections.abc import Sequence

import keras
from keras import ops


@keras.saving.register_keras_serializable("mrcnn_al")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise, then constant, half a cosine down to zero, or steps.

    Args:
        peak: the highest rate.
        warmup_steps: of the rise; at most a fifth of all steps.
        shape: constant, cosine or step.
        total_steps: of the training.
        milestones: of the shape step, fractions of the training.
        factor: of the shape step, what the rate is multiplied by at each milestone.
    """

    def __init__(
        self,
        peak: float,
        warmup_steps: int,
        shape: str,
        total_steps: int,
        milestones: Sequence[float] = (),
        factor: float = 1.0,
    ):
        super().__init__()
        self.peak, self.warmup_steps, self.shape = peak, warmup_steps, shape
        self.milestones, self.factor = tuple(milestones), factor
        self.total_steps = keras.Variable(
            total_steps, trainable=False, dtype="int32", name="total_steps"
        )

    def __call__(self, step):
        """The rate at a step, a scalar tensor."""
        step = ops.cast(step, "float32")
        total = ops.cast(self.total_steps, "float32")
        warmup = ops.minimum(float(self.warmup_steps), ops.floor(total / 5))
        rate = ops.minimum(1.0, (step + 1) / ops.maximum(warmup, 1.0))
        if self.shape == "cosine":
            done = ops.clip((step - warmup) / ops.maximum(total - warmup, 1.0), 0.0, 1.0)
            rate = rate * 0.5 * (1 + ops.cos(math.pi * done))
        elif self.shape == "step":
            for milestone in self.milestones:
                # Rounded, as 0.7 * 10 is a little more than 7.
                passed = step >= ops.round(milestone * total)
                rate = rate * ops.where(passed, self.factor, 1.0)
        return self.peak * rate

    def keep_length_in(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Makes the number of steps a variable of an optimizer that uses the schedule.

        JAX compiles the values of all other variables in, and so once more for each length.
        """
        length = int(ops.convert_to_numpy(self.total_steps))
        self.total_steps = optimizer.add_variable((), dtype="int32", name="total_steps")
        self.total_steps.assign(length)

    def get_config(self):
        """The arguments to make the schedule again."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "shape": self.shape,
            "total_steps": int(ops.convert_to_numpy(self.total_steps)),
            "milestones": self.milestones,
            "factor": self.factor,
        }
