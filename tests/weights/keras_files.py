"""Files in the layouts of Keras's ImageNet weights, made for tests."""

import h5py
import keras
import numpy as np

# What Keras 1, whose files keras.applications first had, called the weights of a layer.
KERAS_1 = {
    "kernel": "W",
    "bias": "b",
    "moving_mean": "running_mean",
    "moving_variance": "running_std",
}


def make_resnet50(seed=0, **options):
    """keras.applications' ResNet-50 with values drawn for every weight, statistics too."""
    model = keras.applications.ResNet50(weights=None, **{"include_top": False, **options})
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        shape, role = tuple(variable.shape), variable.path.rsplit("/", 1)[-1]
        if role == "kernel":
            # Small enough for the small variances not to let the features grow without end.
            value = rng.normal(0, 0.1 * np.sqrt(2 / np.prod(shape[:-1])), shape)
        elif role == "moving_variance":
            # Some so small that the two epsilons differ by much.
            value = 10 ** rng.uniform(-3, 0.5, shape)
        elif role == "gamma":
            value = rng.uniform(0.3, 1, shape)
        else:
            value = rng.normal(0, 0.1, shape)
        variable.assign(value.astype(np.float32))
    return model


def write_keras_file(path, model):
    """What tf.keras 1.13 wrote: every layer a group, weights under the layer's name within it."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4-tf"
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{variable.name}:0" for variable in layer.variables]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, variable in zip(names, layer.variables, strict=True):
                group[name] = keras.ops.convert_to_numpy(variable)


def write_old_keras_file(path, arrays, classifier=False):
    """The release v0.2 of deep-learning-models: Keras 1's names, weights right in the group.

    Args:
        path: of the file.
        arrays: for each layer of Matterport's naming its {role: array}.
        classifier: whether to add that of the files with one.
    """
    arrays = dict(arrays)
    if classifier:
        arrays["fc1000"] = {"kernel": np.ones((2048, 1000)), "bias": np.ones(1000)}
    with h5py.File(path, "w") as file:
        names = ["input_1", "zeropadding2d_1", *arrays, "activation_49"]
        file.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            group, weights = file.create_group(name), arrays.get(name, {})
            listed = [f"{name}_{KERAS_1.get(role, role)}:0" for role in weights]
            group.attrs["weight_names"] = [weight.encode() for weight in listed]
            for weight, array in zip(listed, weights.values(), strict=True):
                group[weight] = np.asarray(array, np.float32)
