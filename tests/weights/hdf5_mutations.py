"""Damaged and hostile weights files, made by number, and a process that reads them.

    python hdf5_mutations.py FOLDER FIRST END

makes the files FIRST to END - 1 in FOLDER, one after the other, and reads each as `load_weights`
does: names and shapes against a network's, then every array. It prints one line of JSON a file
and ends with a traceback at anything but success or a UserError.
"""

import functools
import json
import resource
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np

from mrcnn_al.config import ModelConfig
from mrcnn_al.errors import UserError
from mrcnn_al.weights.description import describe
from mrcnn_al.weights.h5_file import write_h5
from mrcnn_al.weights.layout import model_layout
from mrcnn_al.weights.matching import check_complete, match, read_layer
from mrcnn_al.weights.weights_file import RPN_GROUP, RPN_LAYERS, open_weights

MEMORY_BYTES = 1 << 30
SECONDS = 300
_DATASET = "fpn_p3/fpn_p3/kernel:0"
_GROUP = "fpn_p3/fpn_p3"


def layout():
    """Some layers of every kind of a small Mask R-CNN."""
    config = ModelConfig.preset(
        "cpu",
        top_down_pyramid_size=4,
        rpn_channels=4,
        fpn_classif_fc_layers_size=4,
        mask_head_channels=4,
        pool_size=2,
    )
    prefixes = ("lite1_stem", "fpn_p2", "fpn_p3", "rpn_", "mrcnn_class_conv1", "mrcnn_mask_deconv")
    return {n: weights for n, weights in model_layout(config).items() if n.startswith(prefixes)}


def write_valid(path, kind):
    """The file that is then damaged: 0 as we write it, 1 packed, 2 of the newest HDF5 format."""
    rng = np.random.default_rng(0)
    groups = {}
    for name, weights in layout().items():
        pairs = [(f"{name}/{w}:0", rng.random(shape, np.float32)) for w, shape in weights]
        groups.setdefault(RPN_GROUP if name in RPN_LAYERS else name, []).extend(pairs)
    write_h5(path, groups)
    if kind == 0:
        return
    plain = path.rename(path.with_suffix(".plain"))
    version = {"libver": "latest"} if kind == 2 else {}
    packing = {"compression": "gzip", "shuffle": True} if kind == 1 else {}
    with h5py.File(plain) as old, h5py.File(path, "w", **version) as new:
        new.attrs.update(old.attrs)
        for name, group in old.items():
            new.create_group(name).attrs.update(group.attrs)

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                new.create_dataset(name, data=item[()], **packing)

        old.visititems(copy)
    plain.unlink()


@functools.cache
def _valid(folder, kind):
    path = folder / f"valid{kind}.h5"
    write_valid(path, kind)
    return path.read_bytes()


def read(path):
    """What `load_weights` does with a file but for the last step, giving arrays to variables.

    Raises:
        UserError: the file is refused.
    """
    expected = layout()
    with open_weights(path) as file:
        describe(file)
        check_complete(match(expected, file.layers, "file"))
        for name, weights in expected.items():
            arrays = read_layer(name, file.layers[name], "file")
            assert [a.shape for a in arrays] == [shape for _, shape in weights]
            assert all(a.dtype == np.float32 and np.isfinite(a).all() for a in arrays)


def make(path, index):
    """Mutation number `index`, the same for the same number; returns what it is."""
    rng = np.random.default_rng(index)
    path.write_bytes(_valid(path.parent, int(rng.integers(3))))
    if index % 3 == 0:
        mutation = _STRUCTURES[index // 3 % len(_STRUCTURES)]
        with h5py.File(path, "a") as file:
            mutation(file, rng)
        return mutation.__name__
    mutation = _BYTES[index % len(_BYTES)]
    path.write_bytes(mutation(bytearray(path.read_bytes()), rng))
    return mutation.__name__


def _flip_bytes(data, rng):
    for place in rng.integers(0, len(data), rng.choice([1, 2, 8, 64])):
        data[place] ^= int(rng.integers(1, 256))
    return data


def _flip_metadata(data, rng):
    """Where there is text or structure rather than random numbers."""
    for _ in range(rng.choice([1, 4, 16])):
        signature = [b"TREE", b"HEAP", b"SNOD", b"OHDR", b"FRHP", b"BTHD", b"\x89HDF", b"kernel"]
        starts = _places(data, signature[rng.integers(len(signature))])
        if starts:
            place = int(rng.choice(starts)) + int(rng.integers(0, 64))
            data[min(place, len(data) - 1)] = int(
                rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
            )
    return data


def _extreme_numbers(data, rng):
    """Eight bytes of a length or an address, replaced by one that is far too large, or by zero."""
    values = [0, 1, 2**16, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1, len(data)]
    for _ in range(rng.choice([1, 2, 4])):
        place = int(rng.integers(0, len(data) // 8)) * 8
        data[place : place + 8] = int(values[rng.integers(len(values))]).to_bytes(8, "little")
    return data


def _own_addresses(data, rng):
    """Addresses that point to another place in the file: loops and overlaps."""
    for _ in range(rng.choice([1, 2, 8])):
        place = int(rng.integers(0, len(data) // 8)) * 8
        target = int(rng.integers(0, len(data) // 8)) * 8
        if 0 < int.from_bytes(data[place : place + 8], "little") < len(data):
            data[place : place + 8] = target.to_bytes(8, "little")
    return data


def _truncate(data, rng):
    return data[: rng.integers(0, len(data))]


def _grow(data, rng):
    return data + rng.bytes(int(rng.integers(1, 5000)))


def _swap_blocks(data, rng):
    length = int(rng.choice([8, 64, 512, 2048]))
    one, two = (int(place) for place in rng.integers(0, len(data) - length, 2))
    first, second = data[one : one + length], data[two : two + length]
    data[one : one + length], data[two : two + length] = second, first
    return data


def _zero_block(data, rng):
    length = int(rng.choice([8, 64, 512, 4096]))
    place = int(rng.integers(0, len(data) - length))
    data[place : place + length] = bytes(length)
    return data


def _noise_block(data, rng):
    length = int(rng.choice([8, 64, 512]))
    place = int(rng.integers(0, len(data) - length))
    data[place : place + length] = rng.bytes(length)
    return data


_BYTES = (
    *(_flip_bytes, _flip_metadata, _extreme_numbers, _own_addresses, _truncate, _grow),
    *(_swap_blocks, _zero_block, _noise_block, _flip_metadata, _own_addresses),
)


def _places(data, pattern):
    found, place = [], data.find(pattern)
    while place >= 0:
        found.append(place)
        place = data.find(pattern, place + 1)
    return found


def _names_of_another_type(file, rng):
    values = (
        *(7, 1.5, np.arange(3), np.zeros((2, 2)), np.array([b"a"] * 20000), b"fpn_p3/kernel:0"),
        *("fpn_p3", np.array([[b"fpn_p3/kernel:0", b"fpn_p3/bias:0"]]), h5py.Empty("S10")),
        *(np.array([1j, 2j]), file[_GROUP].ref, np.array([b"\xff\xfe", b"\x00"]), True),
    )
    where, name = (file["fpn_p3"], "weight_names") if rng.integers(2) else (file, "layer_names")
    del where.attrs[name]
    where.attrs[name] = values[rng.integers(len(values))]


def _huge_names(file, rng):
    length = int(rng.choice([1001, 10_000, 30_000]))
    file["fpn_p3"].attrs["weight_names"] = np.array([b"x" * length, b"fpn_p3/bias:0"])


def _huge_variable_names(file, rng):
    names = ["x" * int(rng.choice([1001, 100_000])), "fpn_p3/bias:0"]
    file["fpn_p3"].attrs.create("weight_names", names, dtype=h5py.string_dtype())


def _deep_name(file, rng):
    file["fpn_p3/a"] = file["fpn_p3"]
    name = "a/" * int(rng.integers(1, 400)) + "fpn_p3/kernel:0"
    file["fpn_p3"].attrs["weight_names"] = [name.encode(), b"fpn_p3/bias:0"]


def _odd_names(file, rng):
    odd = ("", "/", ".", "..", "/fpn_p2/fpn_p2/kernel:0", "fpn_p3//kernel:0", "fpn_p3", "a\0b")
    names = [odd[rng.integers(len(odd))], "fpn_p3/bias:0"]
    file["fpn_p3"].attrs.create("weight_names", names, dtype=h5py.string_dtype(length=40))


def _soft_loop(file, rng):
    del file["fpn_p3"]
    file["fpn_p3"] = h5py.SoftLink(str(rng.choice(["/fpn_p3", "/fpn_p9", "/fpn_p2", "/"])))


def _external_link(file, rng):
    del file[_DATASET]
    target = str(rng.choice(["/etc/passwd", "/dev/zero", "absent.h5", file.filename]))
    file[_DATASET] = h5py.ExternalLink(target, "/fpn_p2/fpn_p2/kernel:0")


def _cycle_of_groups(file, rng):
    file["fpn_p3/fpn_p3/again"] = file["/"]
    file["model_weights" if rng.integers(2) else "other"] = file["/"]


def _virtual(file, rng):
    del file[_DATASET]
    layout = h5py.VirtualLayout((3, 3, 4, 4), np.float32)
    origin = str(rng.choice([".", "/dev/zero", "absent.h5"]))
    layout[...] = h5py.VirtualSource(origin, "/fpn_p2/fpn_p2/kernel:0", shape=(3, 3, 4, 4))
    file.create_virtual_dataset(_DATASET, layout)


def _external_storage(file, rng):
    del file[_DATASET]
    origin = str(rng.choice(["/dev/zero", "/etc/passwd", "absent"]))
    group, name = file[_GROUP], "kernel:0"
    group.create_dataset(name, (3, 3, 4, 4), np.float32, external=[(origin, 0, 576)])


def _huge_without_data(file, rng):
    del file[_DATASET]
    shapes = ((10**6, 10**6), (2**62,), (10**5, 10**5, 10, 10), (3, 3, 4, 10**9))
    shape = shapes[rng.integers(len(shapes))]
    file.create_dataset(_DATASET, shape, np.float32, chunks=(1,) * (len(shape) - 1) + (4,))


def _right_shape_without_data(file, rng):
    del file[_DATASET]
    chunks = (3, 3, 4, 4) if rng.integers(2) else None
    file.create_dataset(_DATASET, (3, 3, 4, 4), np.float32, chunks=chunks)


def _some_chunks_missing(file, rng):
    del file[_DATASET]
    made = file.create_dataset(_DATASET, (3, 3, 4, 4), np.float32, chunks=(1, 3, 4, 4))
    made[int(rng.integers(3))] = 1


def _bomb(file, rng):
    """A few bytes that unpack to a gigabyte, as the one chunk of a small dataset."""
    del file[_DATASET]
    made = file.create_dataset(
        _DATASET, (3, 3, 4, 4), np.float32, chunks=(3, 3, 4, 4), compression="gzip"
    )
    made.id.write_direct_chunk((0, 0, 0, 0), _packed_zeros(1 << int(rng.integers(24, 31))))


def _packed_zeros(count):
    """`count` zeros as zlib packs them, without having them."""
    packer, block = zlib.compressobj(9), bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(count >> 20)) + packer.flush()


def _large_chunks(file, rng):
    del file[_DATASET]
    made = file.create_dataset(
        _DATASET,
        (3, 3, 4, 4),
        np.float32,
        maxshape=(None,) * 4,
        chunks=(3, 3, 4, 4 << int(rng.integers(1, 18))),
        compression="gzip",
    )
    made[...] = 1


def _other_filter(file, rng):
    del file[_DATASET]
    data = np.ones((3, 3, 4, 4), np.float32)
    options = ({"compression": "lzf"}, {"fletcher32": True}, {"scaleoffset": 3})
    file.create_dataset(_DATASET, data=data, **options[rng.integers(len(options))])


def _other_type(file, rng):
    del file[_DATASET]
    values = np.ones((3, 3, 4, 4))
    types = ("c8", "i4", "u1", "S5", "f2", ">f8", [("a", "f4")], "bool", "f8")
    chosen = types[rng.integers(len(types))]
    file[_DATASET] = values.astype(chosen)


def _objects(file, rng):
    del file[_DATASET]
    types = (h5py.string_dtype(), h5py.ref_dtype, h5py.vlen_dtype(np.float32), h5py.regionref_dtype)
    file.create_dataset(_DATASET, (3, 3, 4, 4), types[rng.integers(len(types))])


def _not_finite(file, rng):
    values = file[_DATASET][()]
    values.flat[rng.integers(values.size)] = rng.choice([np.nan, np.inf, -np.inf])
    file[_DATASET][...] = values


def _too_large_for_float32(file, rng):
    del file[_DATASET]
    file[_DATASET] = np.full((3, 3, 4, 4), 10.0 ** rng.integers(39, 300))


def _empty_and_scalar(file, rng):
    del file[_DATASET]
    file[_DATASET] = (h5py.Empty("f4"), np.float32(1), np.zeros((0, 3, 4, 4), "f4"))[
        rng.integers(3)
    ]


def _type_in_place_of_a_dataset(file, rng):
    del file[_DATASET]
    file[_DATASET] = np.dtype("f4") if rng.integers(2) else file[_GROUP]


def _dataset_in_place_of_a_group(file, rng):
    name = str(rng.choice(["model_weights", "rpn_model", "extra"]))
    file.pop(name, None)
    file[name] = np.ones(3)
    file.attrs["layer_names"] = [*file.attrs["layer_names"], b"extra"]


def _many_groups(file, rng):
    names = [f"fpn_{index}".encode() for index in range(int(rng.integers(10, 1000)))]
    file.attrs["layer_names"] = names
    for name in names:
        file.require_group(name).attrs["weight_names"] = [b"a"]


def _many_layers(file, rng):
    names = [f"rpn_{index}".encode() for index in range(100)]
    file.attrs["layer_names"] = [*file.attrs["layer_names"], *names]
    for name in names:
        file[name] = file["fpn_p2"]


def _odd_order(file, rng):
    values = ("GRB", 3, np.zeros(4), np.array([b"RGB", b"BGR"]), h5py.Empty("f4"), b"BGR")
    file.attrs["input_channels"] = values[rng.integers(len(values))]


def _rpn_wrongly_listed(file, rng):
    names = list(file["rpn_model"].attrs["weight_names"])
    rng.shuffle(names)
    file["rpn_model"].attrs["weight_names"] = names[: int(rng.integers(1, 7))]


_STRUCTURES = tuple(
    value
    for name, value in list(globals().items())
    if callable(value)
    and name.startswith("_")
    and value not in _BYTES
    and name not in ("_places", "_packed_zeros", "_valid")
    and value.__module__ == __name__
)


def main(folder, first, end):
    """Limits memory and time, then makes and reads the files."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    path = folder / "weights.h5"
    for index in range(first, end):
        name = make(path, index)
        print(json.dumps({"index": index, "mutation": name}), flush=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            read(path)
            outcome = "loaded"
        except UserError as error:
            outcome = str(error)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(json.dumps({"index": index, "outcome": outcome, "grown": grown}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
