"""A network that is called on a training batch and gives its losses by name."""

from collections.abc import Sequence

import keras
from keras import ops

from mrcnn_al.mask_rcnn.losses import squared_weights
from mrcnn_al.mask_rcnn.precision import POLICIES
from mrcnn_al.ops import backend, determinism


class LossModel(keras.Model):
    """What `train_on_batch` needs of a network whose `call` gives losses and not predictions.

    Args:
        loss_names: of the scalars that `call` gives.
        precision: float32, bfloat16 or float16.

    Attributes:
        loss_weights: what each loss is multiplied by.
        weight_decay: of the L2 term.
        mean_weight_decay: see `squared_weights`.
    """

    def __init__(self, loss_names: Sequence[str], precision: str, **kwargs):
        super().__init__(autocast=False, dtype=POLICIES[precision], **kwargs)
        self.loss_trackers = [keras.metrics.Mean(name=name) for name in loss_names]
        self.loss_weights = dict.fromkeys(loss_names, 1.0)
        self.weight_decay = 0.0
        self.mean_weight_decay = True

    if backend.NAME == "tensorflow":

        def train_step(self, data):
            """Keras's own, but for gradients that are the same each time.

            With run_eagerly, which is for looking into a step, it is Keras's own.
            """
            if self.run_eagerly:
                return super().train_step(data)
            inputs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            losses = self(inputs, training=True)
            total = self.compute_loss(y_pred=losses)
            (tracker,) = (metric for metric in self.metrics if metric.name == "loss")
            tracker.update_state(total * backend.replicas())
            variables = self.trainable_variables
            found = determinism.gradients(self.optimizer.scale_loss(total), variables)
            self.optimizer.apply_gradients(zip(found, variables, strict=True))
            return self.compute_metrics(inputs, None, losses)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the losses and the L2 term."""
        del x, y, sample_weight, training
        replicas = backend.replicas()
        total = self.regularization_loss() / replicas
        for tracker in self.loss_trackers:
            tracker.update_state(y_pred[tracker.name] * replicas)
            total = total + self.loss_weights[tracker.name] * y_pred[tracker.name]
        return total

    def regularization_loss(self):
        """weight_decay times `squared_weights` of the trained weights."""
        if not self.weight_decay:
            return ops.zeros(())
        return self.weight_decay * squared_weights(self.trainable_variables, self.mean_weight_decay)
