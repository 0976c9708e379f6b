"""The same numbers each time, whatever the threads of the machine do meanwhile.

A sum of floating-point numbers depends on the order of its terms, and TensorFlow leaves that
order to chance in more places than its own switch for determinism covers. Without that switch
it is not even the sum: threads that add to one number at the same time lose terms, as they do
in the gradient of crop_and_resize on a CPU.
"""

import keras

from mrcnn_al.ops.backend import NAME


def make_deterministic(seed: int) -> None:
    """Seeds everything, and lets chance order no sum.

    On JAX that is so on CPUs; on GPUs XLA_FLAGS must hold --xla_gpu_deterministic_ops=true
    before JAX starts.
    """
    keras.utils.set_random_seed(seed)
    fix_order_of_sums()


def fix_order_of_sums() -> None:
    """Lets no kernel add numbers in an order that chance decides, from here on.

    In TensorFlow that is for the whole process, in which its own random operations then insist
    on a seed.
    """
    if NAME == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        # It joins the two-term sums of `gradients` into longer ones again.
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    elif NAME == "torch":
        import torch

        torch.use_deterministic_algorithms(True, warn_only=True)


def gradients(total, variables: list) -> list:
    """Gradients of a scalar, with TensorFlow, within a tf.function.

    A tensor that is used more than twice has as many terms in its gradient. tf.GradientTape adds
    them by one AddN, which adds to whichever term's memory is free first; here they are added
    one by one in their own order.

    Args:
        total: the scalar.
        variables: Keras variables.

    Returns:
        A tensor for each variable, or None where the scalar does not depend on it.
    """
    import tensorflow as tf

    one_by_one = tf.AggregationMethod.EXPERIMENTAL_TREE
    return tf.gradients(total, [v.value for v in variables], aggregation_method=one_by_one)
